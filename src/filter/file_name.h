// What a file's name says it is.
#pragma once

#include <string>
#include <string_view>

#include "mime/message.h"

namespace doorward::filter {

// Takes the extension off, with spaces and dots around it; lower case, without its dot.
std::string take_extension(std::string& name);
// Runs at a double click.
bool is_program(std::string_view extension);
// Some part of the mail is a program, by its name.
bool has_program(const mime::Message& message);

}  // namespace doorward::filter
