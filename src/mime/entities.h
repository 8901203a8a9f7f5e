// HTML's character references (HTML standard §13.2.5.72 ff.).
#pragma once

#include <string>
#include <string_view>

namespace doorward::mime {

// Reads the reference at `at`, where "&" stands, appends what it means and returns the offset behind it; where it is
// none, appends "&". In attributes a name without semicolon before "=" or a letter stays as it is.
size_t read_entity(std::string_view html, size_t at, bool in_attribute, std::string& out);

// All references of an attribute's value decoded.
std::string decode_attribute(std::string_view value);

}  // namespace doorward::mime
