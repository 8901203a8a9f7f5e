// The known name that a mistyped one most likely means.
#pragma once

#include <span>
#include <string_view>

namespace doorward::config {

// The nearest of `known` by edit distance (insert, delete, replace, swap of neighbours; case does not count); empty
// where none is near enough to be meant: more than a third of the longer name is different.
std::string_view nearest(std::string_view name, std::span<const std::string_view> known);

}  // namespace doorward::config
