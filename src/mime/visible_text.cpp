#include "mime/visible_text.h"

#include "mime/chars.h"

namespace doorward::mime {

namespace {

enum class Shape { plain, blank, none };

constexpr bool in(char32_t c, char32_t low, char32_t high) { return c >= low && c <= high; }

// Blanks of all widths, and characters that show nothing: soft hyphen, joiners, direction marks, fillers, tags.
Shape shape_of(char32_t c) {
  if (c == 0xa0 || in(c, 0x2000, 0x200a) || c == 0x202f || c == 0x205f || c == 0x3000 || c == 0x1680 || c == 0x85)
    return Shape::blank;
  if (c == 0x2028 || c == 0x2029) return Shape::blank;
  if (c == 0xad || c == 0x34f || c == 0x61c || c == 0x115f || c == 0x1160 || c == 0x17b4 || c == 0x17b5 ||
      c == 0x3164 || c == 0xffa0 || c == 0xfeff || in(c, 0x180b, 0x180e) || in(c, 0x200b, 0x200f) ||
      in(c, 0x202a, 0x202e) || in(c, 0x2060, 0x206f) || in(c, 0xfe00, 0xfe0f) || in(c, 0xfff0, 0xfffb) ||
      in(c, 0xe0000, 0xe01ef) || in(c, 0x80, 0x9f))
    return Shape::none;
  return Shape::plain;
}

// The leads of the sequences that shape_of() may single out; all others are copied unread.
bool may_be_special(unsigned lead) {
  return lead == 0xc2 || lead == 0xcd || lead == 0xd8 || (lead >= 0xe1 && lead <= 0xe3) || lead == 0xef || lead == 0xf3;
}

char32_t decode(std::string_view s, size_t at, size_t& length) {
  const unsigned lead = byte(s[at]);
  length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (at + length > s.size()) {
    length = s.size() - at;
    return 0xfffd;
  }
  char32_t c = lead & (0xffU >> (length + 1));
  for (size_t i = 1; i < length; ++i) c = c << 6 | (byte(s[at + i]) & 0x3fU);
  return c;
}

// Bytes that just go over: printable ASCII but the blank, and UTF-8 that cannot be special.
bool copies(char c) {
  const unsigned b = byte(c);
  return b < 0x80 ? b > 0x20 && b != 0x7f : !may_be_special(b);
}

}  // namespace

void VisibleText::fill_gap() {
  if (gap_ != Gap::none && !out_.empty() && out_.back() != '\n') out_.push_back(gap_ == Gap::line ? '\n' : ' ');
  gap_ = Gap::none;
}

void VisibleText::hard_line() {
  if (!full()) out_.push_back('\n');
  gap_ = Gap::none;
}

// A blank, a control or a character that may have no shape; returns the offset behind it.
size_t VisibleText::special(std::string_view text, size_t at, bool preserve) {
  const char c = text[at];
  if (is_space(c)) {
    if (preserve && c == '\n')
      hard_line();
    else if (preserve && is_wsp(c))
      out_.push_back(' ');
    else
      space();
    return at + 1;
  }
  if (is_control(c)) return at + 1;
  size_t length = 1;
  switch (shape_of(decode(text, at, length))) {
    case Shape::blank:
      space();
      break;
    case Shape::none:
      ++invisible_;
      break;
    case Shape::plain:
      fill_gap();
      out_.append(text.substr(at, length));
      break;
  }
  return at + length;
}

void VisibleText::append(std::string_view text, bool preserve) {
  for (size_t at = 0; at < text.size() && !full();) {
    size_t end = at;
    while (end < text.size() && copies(text[end])) ++end;
    if (end > at) {
      fill_gap();
      out_.append(text.substr(at, end - at));
      at = end;
    } else {
      at = special(text, at, preserve);
    }
  }
}

}  // namespace doorward::mime
