// Header text as a reader sees it: encoded words (RFC 2047) decoded, unencoded 8-bit bytes made UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace doorward::mime {

// `value` may hold folds. The result is valid UTF-8, trimmed, without controls.
std::string decode_words(std::string_view value);

}  // namespace doorward::mime
