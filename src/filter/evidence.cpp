#include "filter/evidence.h"

#include "filter/letters.h"

namespace doorward::filter {

std::string printable(std::string_view text, size_t most) {
  std::string shown;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_character(text, at);
    if (shown.size() + 4 > most && at < text.size()) return shown + "…";
    if (c < 32 || c == 127) {
      shown += ' ';
    } else if (c >= 128 && letter_of(c).invisible) {
      shown += '?';
    } else {
      append_utf8(shown, c);
    }
  }
  return shown;
}

}  // namespace doorward::filter
