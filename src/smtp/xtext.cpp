#include "smtp/xtext.h"

#include "mail/ascii.h"
#include "mail/utf8.h"

namespace doorward::smtp {
namespace {

// Hexadecimal digits of xtext are upper case (RFC 3461 §4); some senders write lower case, which is as clear.
int hex_value(char c) {
  if (mail::is_digit(c)) return c - '0';
  const char lower = mail::to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// xchar: printable ASCII except "+" and "=".
bool is_xchar(char c) { return c > ' ' && c < 0x7F && c != '+' && c != '='; }

// EmbeddedUnicodeChar of RFC 6533 §3: \x{20AC}. Octets taken; 0 where malformed.
size_t embedded_character(std::string_view text) {
  if (!text.starts_with("\\x{")) return 0;
  const size_t end = text.find('}');
  if (end == std::string_view::npos || end < 5 || end > 9) return 0;  // two to six digits
  uint32_t value = 0;
  for (const char c : text.substr(3, end - 3)) {
    const int digit = hex_value(c);
    if (digit < 0) return 0;
    value = value * 16 + static_cast<uint32_t>(digit);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  const bool control = value < 0x20 || (value >= 0x7F && value < 0xA0);
  return surrogate || control || value > 0x10FFFF ? 0 : end + 1;
}

}  // namespace

std::optional<std::string> decode_xtext(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      result += static_cast<char>(high * 16 + low);
      i += 2;
    } else if (is_xchar(text[i])) {
      result += text[i];
    } else {
      return std::nullopt;
    }
  }
  return result;
}

bool is_utf8_address(std::string_view text, bool raw_allowed) {
  if (!text.contains('\\')) {
    if (const auto decoded = decode_xtext(text)) return mail::is_utf8(*decoded);
  }
  while (!text.empty()) {
    size_t octets = 0;
    if (text.front() == '\\') {
      octets = embedded_character(text);
    } else if (is_xchar(text.front())) {
      octets = 1;
    } else if (raw_allowed) {
      octets = mail::utf8_non_ascii(text);
    }
    if (octets == 0) return false;
    text.remove_prefix(octets);
  }
  return true;
}

}  // namespace doorward::smtp
