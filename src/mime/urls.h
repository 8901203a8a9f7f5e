// URLs in plain text, as mail clients make them clickable; and the form in which a client would open one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace doorward::mime {

struct TextUrl {
  size_t begin = 0, end = 0;  // in the text
};

// The next URL of http, https, ftp or www. at or behind `from`.
bool find_url(std::string_view text, size_t from, TextUrl& url);

// As it would be opened: outer white space, inner tabs and line ends removed, backslashes and missing slashes of web
// schemes mended (WHATWG URL standard §4.4), resolved against `base` if it is relative. At most 4096 bytes.
std::string openable(std::string_view url, std::string_view base = {});

}  // namespace doorward::mime
