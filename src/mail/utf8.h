// UTF-8 as RFC 3629 §4 defines it, strictly: no overlong forms, no surrogates, nothing beyond U+10FFFF.
#pragma once

#include <cstddef>
#include <string_view>

namespace doorward::mail {

// Octets of the well-formed sequence at the front of `text` (1 to 4); 0 if there is none, or if `text` is empty.
size_t utf8_sequence(std::string_view text);
// The same for what may stand in an address: beyond ASCII only, and no C1 control (U+0080 to U+009F).
size_t utf8_non_ascii(std::string_view text);
bool is_utf8(std::string_view text);
bool is_ascii(std::string_view text);

}  // namespace doorward::mail
