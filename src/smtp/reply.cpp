#include "smtp/reply.h"

#include <fmt/format.h>

#include "mail/utf8.h"

namespace doorward::smtp {
namespace {

constexpr size_t kMaxLine = 512;  // octets with CRLF (RFC 5321 §4.5.3.1.5)

// What may not stand in a reply's text (RFC 5321 §4.2: textstring; RFC 6531 §3.7.4.2 adds UTF-8) becomes a question
// mark: a line end in it would be a second reply.
std::string cleaned(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const auto octet = static_cast<unsigned char>(text.front());
    size_t length = 1;
    if (octet >= 0x80) {
      length = mail::utf8_non_ascii(text);
    } else if (octet != '\t' && (octet < 0x20 || octet == 0x7F)) {
      length = 0;
    }
    if (length == 0) {
      result += '?';
      length = 1;
    } else {
      result.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  return result;
}

// The longest front of `text` that fits into `room` octets and ends before a space or between two characters.
std::string_view fitting(std::string_view text, size_t room) {
  if (text.size() <= room) return text;
  const size_t space = text.rfind(' ', room);
  if (space != std::string_view::npos && space > room / 2) return text.substr(0, space);
  while (room > 0 && (static_cast<unsigned char>(text[room]) & 0xC0U) == 0x80) --room;
  return text.substr(0, room);
}

}  // namespace

std::string Reply::wire() const {
  std::string prefix;
  if (enhanced.present()) prefix = fmt::format("{}.{}.{} ", enhanced.klass, enhanced.subject, enhanced.detail);
  const size_t room = kMaxLine - 4 - 2 - prefix.size();

  std::string result;
  size_t last_line = 0;
  const auto write = [&](std::string_view text) {
    last_line = result.size();
    fmt::format_to(std::back_inserter(result), "{:03}-{}{}\r\n", code, prefix, text);
  };
  for (const std::string& line : lines) {
    const std::string text = cleaned(line);
    std::string_view left = text;
    do {
      const std::string_view front = fitting(left, room);
      write(front);
      left.remove_prefix(front.size());
      if (left.starts_with(' ')) left.remove_prefix(1);
    } while (!left.empty());
  }
  if (lines.empty()) write("");
  result[last_line + 3] = ' ';
  return result;
}

}  // namespace doorward::smtp
