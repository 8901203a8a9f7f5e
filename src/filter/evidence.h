// What findings quote of a mail: short and printable.
#pragma once

#include <string>
#include <string_view>

namespace doorward::filter {

// UTF-8 of at most `most` bytes and "…" where it was cut; controls and line ends are spaces, invisible characters "?".
std::string printable(std::string_view text, size_t most = 80);

}  // namespace doorward::filter
