// Text for a header field that we write.
#pragma once

#include <string>
#include <string_view>

namespace doorward::action {

// As it is where it is ASCII, else in encoded words of UTF-8 (RFC 2047 §2, at most 75 octets each). Controls are left
// out, so that no text can begin a field of its own; at most `most` bytes of it are taken.
std::string encoded_text(std::string_view utf8, size_t most = 200);

// "Name: value", folded at spaces so that lines have at most 78 octets (RFC 5322 §2.1.1) where the words allow it; CRLF
// at the end.
std::string header_field(std::string_view name, std::string_view value);

}  // namespace doorward::action
