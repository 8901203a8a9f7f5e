#include "mail/wildcard.h"

#include <algorithm>

#include "mail/ascii.h"
#include "mail/utf8.h"

namespace doorward::mail {
namespace {

// Octets of the character at the front: one where it is not well-formed UTF-8.
size_t character(std::string_view text) {
  return static_cast<unsigned char>(text.front()) < 0x80 ? 1 : std::max<size_t>(1, utf8_sequence(text));
}

// Only the last `*` seen is ever tried again: an earlier one could gain nothing by taking more.
template <class Fold>
bool match(std::string_view pattern, std::string_view text, Fold fold) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;
  size_t taken = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      t += character(text.substr(t));
    } else if (p < pattern.size() && fold(pattern[p]) == fold(text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      taken += character(text.substr(taken));
      t = taken;
      p = star + 1;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

bool wildcard_match(std::string_view pattern, std::string_view text) {
  return match(pattern, text, [](char c) { return c; });
}

bool wildcard_match_ignoring_case(std::string_view pattern, std::string_view text) {
  return match(pattern, text, to_lower);
}

bool has_wildcard(std::string_view pattern) { return pattern.find_first_of("*?") != std::string_view::npos; }

}  // namespace doorward::mail
