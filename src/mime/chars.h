// Bytes and lines of mail, read without locale: what every file of this room scans with.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace doorward::mime {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
constexpr bool is_wsp(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
constexpr bool is_alnum(char c) { return is_alpha(c) || is_digit(c); }
constexpr bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
constexpr bool is_8bit(char c) { return (static_cast<unsigned char>(c) & 0x80) != 0; }
constexpr unsigned byte(char c) { return static_cast<unsigned char>(c); }

// −1 where it is no hexadecimal digit.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

constexpr bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

constexpr bool istarts_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && iequals(text.substr(0, prefix.size()), prefix);
}

// `needle` in lower case.
constexpr size_t ifind(std::string_view text, std::string_view needle, size_t from = 0) {
  for (size_t i = from; i + needle.size() <= text.size(); ++i) {
    if (lower(text[i]) == needle[0] && iequals(text.substr(i, needle.size()), needle)) return i;
  }
  return std::string_view::npos;
}

constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// At most `size` bytes of UTF-8, no character broken.
constexpr std::string_view cut_utf8(std::string_view text, size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (byte(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

inline std::string lowered(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), lower);
  return result;
}

inline size_t find_byte(std::string_view text, char c, size_t from) {
  if (from >= text.size()) return std::string_view::npos;
  const void* hit = std::memchr(text.data() + from, c, text.size() - from);
  return hit == nullptr ? std::string_view::npos : static_cast<size_t>(static_cast<const char*>(hit) - text.data());
}

struct Line {
  std::string_view text;  // without its line end
  size_t next = 0;        // where the following line begins
};

// The line that begins at `at`: ended by LF, CRLF or the end of the bytes.
inline Line line_at(std::string_view bytes, size_t at) {
  const size_t end = find_byte(bytes, '\n', at);
  if (end == std::string_view::npos) {
    std::string_view text = bytes.substr(at);
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    return {text, bytes.size()};
  }
  const size_t length = end - at;
  return {bytes.substr(at, length != 0 && bytes[end - 1] == '\r' ? length - 1 : length), end + 1};
}

inline bool has_8bit(std::string_view text) {
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    if ((word & 0x8080808080808080U) != 0) return true;
  }
  for (; i < text.size(); ++i) {
    if (is_8bit(text[i])) return true;
  }
  return false;
}

}  // namespace doorward::mime
