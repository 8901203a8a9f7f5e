#include <unicode/uscript.h>

#include <algorithm>
#include <string>

#include "filter/letters.h"
#include "filter/structure_signs.h"
#include "mail/ascii.h"

namespace doorward::filter {
namespace {

constexpr size_t kSample = 8192;    // bytes of a decoded part that are looked at
constexpr size_t kShortText = 40;   // bytes; shorter texts say nothing
constexpr unsigned kInvisible = 3;  // occurrences within words
constexpr unsigned kMixedWords = 3;
constexpr size_t kMostText = 64 * 1024;  // bytes of a text that are walked character by character

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 128; });
}

bool is_look_alike_script(char32_t c) {
  UErrorCode status = U_ZERO_ERROR;
  const auto script = uscript_getScript(static_cast<UChar32>(c), &status);
  return script == USCRIPT_CYRILLIC || script == USCRIPT_GREEK || script == USCRIPT_ARMENIAN ||
         script == USCRIPT_CHEROKEE;
}

// Calls word(text) for each word that mixes scripts; it returns false to end.
template <class Word>
void mixed_words(std::string_view text, Word&& word) {
  size_t begin = 0;
  bool latin = false;
  bool foreign = false;
  const auto close = [&](size_t end, size_t next) {
    const bool mixed = latin && foreign;
    const auto found = text.substr(begin, end - begin);
    latin = foreign = false;
    begin = next;
    return !mixed || word(found);
  };
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    const char32_t c = next_character(text, at);
    if (c < 128) {
      if (mail::is_alpha(static_cast<char>(c)))
        latin = true;
      else if (!mail::is_digit(static_cast<char>(c)) && !close(start, at))
        return;
    } else {
      const Letter letter = letter_of(c);
      // Only what a reader takes for a Latin letter deceives: "µm" and "кг/m" do not.
      if (letter.word && letter.coarse < 128 && is_look_alike_script(c))
        foreign = true;
      else if (!letter.word && !letter.invisible && !close(start, at))
        return;
    }
  }
  close(text.size(), text.size());
}

// Zero-width characters between two ASCII letters; soft hyphens are what they are for.
unsigned invisible_in_words(std::string_view text) {
  unsigned count = 0;
  for (size_t at = text.find_first_of("\xE2\xEF\xCD"); at != std::string_view::npos;
       at = text.find_first_of("\xE2\xEF\xCD", at + 1)) {
    if (at == 0 || !mail::is_alpha(text[at - 1])) continue;
    size_t next = at;
    const char32_t c = next_character(text, next);
    if (c == 0x200B || c == 0x2060 || c == 0xFEFF || c == 0x034F || c == 0x200C) {
      if (next < text.size() && mail::is_alpha(text[next])) ++count;
    }
  }
  return count;
}

void check_part(Signs& signs, const mime::Part& part) {
  if (!part.is_text() || part.is_attachment()) return;
  // The visible text is without them already.
  const bool utf8 = part.charset == "utf-8";
  if (!utf8 && part.encoding != mime::Encoding::base64) return;
  const std::string decoded = signs.message().decoded(part, kSample);
  if (utf8 && invisible_in_words(decoded) >= kInvisible) signs.found(Sign::text_invisible_in_words);
  if (part.encoding != mime::Encoding::base64) return;
  // Long lines and bare line feeds are good reasons for base64 too, but quoted-printable is what mail programs choose.
  if (decoded.size() >= kShortText && is_ascii(decoded))
    signs.found(Sign::text_needlessly_base64, part.type + "/" + part.subtype);
}

}  // namespace

std::string mixed_script_word(std::string_view utf8) {
  std::string first;
  mixed_words(utf8.substr(0, 2000), [&](std::string_view word) {
    first = word;
    return false;
  });
  return first;
}

void check_texts(Signs& signs) {
  for (const mime::Part& part : signs.message().parts()) check_part(signs, part);
  for (const mime::Text& text : signs.message().texts()) {
    const auto visible = std::string_view(text.visible).substr(0, kMostText);
    if (is_ascii(visible)) continue;
    unsigned mixed = 0;
    std::string first;
    mixed_words(visible, [&](std::string_view word) {
      if (mixed++ == 0) first = word;
      return mixed < kMixedWords;
    });
    if (mixed >= kMixedWords) signs.found(Sign::text_mixed_scripts, first);
  }
}

}  // namespace doorward::filter
