// The values of described options, as text in one canonical form: "true", "4", "1.5", "5m", "25MB"; the items of a list
// have a line each. Files, store and portal all go through here, so that a value is checked in one way.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/option.h"
#include "config/toml.h"

namespace doorward::config {

// What a user wrote, as text or as a value of a file, in canonical form; or one sentence about what is wrong with it.
Result<std::string> check(const OptionInfo& option, std::string_view text);
Result<std::string> check(const OptionInfo& option, const Value& value);

// "1 to 9", "0s to 12h"; empty: there are none.
std::string bounds_text(const OptionInfo& option);

// The canonical text as it stands in a TOML file.
std::string to_toml(const OptionInfo& option, std::string_view canonical);
// "text" with its quotes and escapes.
std::string quoted(std::string_view text);
std::string quoted_list(std::span<const std::string> items);

// A list's canonical text and its items.
std::vector<std::string> items(std::string_view canonical);
std::string join(std::span<const std::string> items);

}  // namespace doorward::config
