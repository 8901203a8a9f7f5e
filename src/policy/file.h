// The policy as one readable file (docs/policy.md).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "policy/model.h"

namespace doorward::policy {

// Everything that is wrong is told at once, a line each: "file:line: what", with the nearest known key.
Result<Policy> parse_file(std::string_view text, const std::string& file_name);

// What parse_file() takes, in the order of the names: the same policy always gives the same text.
std::string to_file(const Policy& policy);

}  // namespace doorward::policy
