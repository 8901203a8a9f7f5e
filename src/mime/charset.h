// Any charset to UTF-8. What is declared wrongly is read as clients would: valid UTF-8 stays, other bytes are
// windows-1252.
#pragma once

#include <string>
#include <string_view>

namespace doorward::mime {

struct Conversion {
  bool unknown_charset = false;  // no converter has that name
  bool declared_wrong = false;   // the bytes are not of the declared charset
};

bool valid_utf8(std::string_view bytes);
void append_code_point(char32_t c, std::string& out);

// A view of `bytes` where they are UTF-8 already, else of `scratch`, which is overwritten. An empty charset: UTF-8 if
// it is valid, else windows-1252. The result is always valid UTF-8.
std::string_view to_utf8(std::string_view bytes, std::string_view charset, std::string& scratch,
                         Conversion& conversion);

// Appends instead.
Conversion append_utf8(std::string_view bytes, std::string_view charset, std::string& out);

}  // namespace doorward::mime
