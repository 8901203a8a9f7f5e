#include "filter/letters.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>
#include <unicode/uspoof.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "base/handle.h"

namespace doorward::filter {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

// Digits and signs that stand for letters, and letters that look alike in most fonts.
constexpr char32_t coarse_ascii(char32_t c) {
  if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
  switch (c) {
    case 'l':
    case '1':
    case '!':
    case '|':
      return 'i';
    case '0':
      return 'o';
    case '3':
      return 'e';
    case '4':
    case '@':
      return 'a';
    case '5':
    case '$':
      return 's';
    case '7':
      return 't';
    case '8':
      return 'b';
    case '9':
      return 'g';
    case '2':
      return 'z';
    default:
      return c;
  }
}

constexpr bool is_ascii_alnum(char32_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr std::array<Letter, 128> kAscii = [] {
  std::array<Letter, 128> table{};
  for (char32_t c = 0; c < 128; ++c) {
    Letter& letter = table[c];
    letter.space = c == ' ' || (c >= 9 && c <= 13);
    letter.word = is_ascii_alnum(c);
    letter.visual = c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    letter.coarse = letter.space ? U' ' : (c < 32 || c == 127) ? 0 : coarse_ascii(c);
    letter.invisible = letter.coarse == 0;
  }
  return table;
}();

// The single character that ICU's confusables (UTS #39 §4) make of `c`, marks left out; `c` itself where they make
// more.
char32_t skeleton(char32_t c) {
  static const auto checker = [] {
    UErrorCode status = U_ZERO_ERROR;
    return Handle<USpoofChecker, uspoof_close>(uspoof_open(&status));
  }();
  if (!checker) return c;
  icu::UnicodeString result;
  UErrorCode status = U_ZERO_ERROR;
  uspoof_getSkeletonUnicodeString(checker.get(), 0, icu::UnicodeString(static_cast<UChar32>(c)), result, &status);
  if (U_FAILURE(status)) return c;
  char32_t only = 0;
  for (int32_t i = 0; i < result.length(); i = result.moveIndex32(i, 1)) {
    const auto piece = result.char32At(i);
    const auto category = u_charType(piece);
    if (category == U_NON_SPACING_MARK || category == U_ENCLOSING_MARK) continue;
    if (only != 0) return c;
    only = static_cast<char32_t>(piece);
  }
  return only == 0 ? c : only;
}

// The base letter of a compatibility decomposition: é → e, ﬁ stays, Ａ → A, 𝐯 → v.
char32_t base_letter(char32_t c) {
  static const icu::Normalizer2* nfkd = [] {
    UErrorCode status = U_ZERO_ERROR;
    return icu::Normalizer2::getNFKDInstance(status);
  }();
  icu::UnicodeString pieces;
  if (nfkd == nullptr || !nfkd->getDecomposition(static_cast<UChar32>(c), pieces) || pieces.isEmpty()) return c;
  const auto first = pieces.char32At(0);
  for (int32_t i = pieces.moveIndex32(0, 1); i < pieces.length(); i = pieces.moveIndex32(i, 1)) {
    if (u_charType(pieces.char32At(i)) != U_NON_SPACING_MARK) return c;
  }
  return static_cast<char32_t>(first);
}

char32_t looks_like(char32_t c) {
  const char32_t base = base_letter(c);
  const char32_t look = base < 128 ? base : skeleton(base);
  return look < 128 ? kAscii[look].visual : folded(base);
}

bool without_spaces(char32_t c) {
  if (u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_IDEOGRAPHIC) != 0) return true;
  UErrorCode status = U_ZERO_ERROR;
  switch (uscript_getScript(static_cast<UChar32>(c), &status)) {
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
      return true;
    default:
      return false;
  }
}

Letter make_letter(char32_t c) {
  Letter letter;
  const auto point = static_cast<UChar32>(c);
  letter.space = u_isUWhiteSpace(point) != 0;
  letter.invisible =
      !letter.space && (u_hasBinaryProperty(point, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0 || u_iscntrl(point) != 0);
  letter.word = u_isalnum(point) != 0;
  letter.open = letter.word && without_spaces(c);
  const auto category = u_charType(point);
  const bool mark = category == U_NON_SPACING_MARK || category == U_ENCLOSING_MARK;
  if (letter.space) {
    letter.coarse = letter.visual = U' ';
  } else if (letter.invisible || mark) {
    letter.visual = c;
  } else {
    letter.visual = looks_like(c);
    // Both cases must fall into one class: the one that the upper-case letter looks like, else the lower-case one.
    const char32_t lower = folded(c);
    const char32_t upper = looks_like(static_cast<char32_t>(u_toupper(static_cast<UChar32>(lower))));
    const char32_t chosen = upper < 128 ? upper : looks_like(lower);
    letter.coarse = chosen < 128 ? kAscii[chosen].coarse : chosen;
    if (letter.coarse == 0) letter.coarse = lower;
    // "ß" is "ss", and runs of one character are squeezed to one anyway.
    if (lower == U'ß') letter.coarse = letter.visual = U's';
  }
  return letter;
}

// ICU is asked once a character: what it said is kept, packed into one word (two threads that ask write the same).
constexpr char32_t kKept = 0x20000;
std::array<std::atomic<uint64_t>, kKept> kept{};

uint64_t pack(const Letter& letter) {
  return uint64_t{1} << 63U | uint64_t{letter.word} << 62U | uint64_t{letter.open} << 61U |
         uint64_t{letter.space} << 60U | uint64_t{letter.invisible} << 59U | uint64_t{letter.coarse} << 21U |
         uint64_t{letter.visual};
}

Letter unpack(uint64_t packed) {
  const auto bit = [&](unsigned at) { return (packed >> at & 1U) != 0; };
  return {.coarse = static_cast<char32_t>(packed >> 21U & 0x1FFFFFU),
          .visual = static_cast<char32_t>(packed & 0x1FFFFFU),
          .word = bit(62),
          .open = bit(61),
          .space = bit(60),
          .invisible = bit(59)};
}

bool stands_in(char32_t wanted, char32_t c) {
  switch (c) {
    case '0':
      return wanted == 'o';
    case '1':
    case '!':
    case '|':
      return wanted == 'i' || wanted == 'l';
    case '2':
      return wanted == 'z';
    case '3':
      return wanted == 'e';
    case '4':
    case '@':
      return wanted == 'a';
    case '5':
    case '$':
      return wanted == 's';
    case '7':
      return wanted == 't';
    case '8':
      return wanted == 'b';
    case '9':
      return wanted == 'g';
    default:
      return false;
  }
}

unsigned tail(std::string_view text, size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U; }

}  // namespace

Letter letter_of(char32_t c) {
  if (c < 128) return kAscii[c];
  if (c >= kKept) return make_letter(c > 0x10FFFF ? kReplacement : c);
  auto& slot = kept[c];
  uint64_t packed = slot.load(std::memory_order_relaxed);
  if (packed == 0) {
    packed = pack(make_letter(c));
    slot.store(packed, std::memory_order_relaxed);
  }
  return unpack(packed);
}

char32_t folded(char32_t c) {
  if (c < 128) return kAscii[c].visual;
  return static_cast<char32_t>(u_foldCase(static_cast<UChar32>(c), U_FOLD_CASE_DEFAULT));
}

Likeness likeness(char32_t wanted, char32_t c) {
  if (folded(c) == wanted) return Likeness::same;
  if (c < 128) {
    if (stands_in(wanted, c)) return Likeness::stand_in;
    if ((wanted == 'i' && c == 'l') || (wanted == 'l' && c == 'I')) return Likeness::look_alike;
    return Likeness::none;
  }
  const Letter letter = letter_of(c);
  if (letter.visual == wanted) return Likeness::look_alike;
  // A pattern with an accent means it: its plain letter is another word ("schön", "schon"), other accents are not.
  return wanted >= 128 && letter.visual == letter_of(wanted).visual ? Likeness::look_alike : Likeness::none;
}

char32_t next_character(std::string_view text, size_t& at) {
  const unsigned first = tail(text, at++);
  if (first < 0x80) return first;
  const unsigned more = first >= 0xF0 && first < 0xF5   ? 3
                        : first >= 0xE0 && first < 0xF0 ? 2
                        : first >= 0xC2 && first < 0xE0 ? 1
                                                        : 0;
  if (more == 0) return kReplacement;
  char32_t c = first & (0x3FU >> more);
  for (unsigned i = 0; i < more; ++i) {
    const unsigned byte = tail(text, at + i);
    if ((byte & 0xC0U) != 0x80) return kReplacement;
    c = c << 6U | (byte & 0x3FU);
  }
  constexpr std::array<char32_t, 4> kShortest{0, 0x80, 0x800, 0x10000};
  if (c < kShortest[more] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return kReplacement;
  at += more;
  return c;
}

char32_t previous_character(std::string_view text, size_t& at) {
  const size_t end = at;
  for (size_t back = 1; back <= 4 && back <= end; ++back) {
    if ((tail(text, end - back) & 0xC0U) == 0x80) continue;
    size_t start = end - back;
    const char32_t c = next_character(text, start);
    if (start != end) break;  // the bytes before are not one whole character
    at = end - back;
    return c;
  }
  at = end - 1;
  return kReplacement;
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xC0 | c >> 6U);
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12U);
    put(0x80 | (c >> 6U & 0x3FU));
  } else {
    put(0xF0 | c >> 18U);
    put(0x80 | (c >> 12U & 0x3FU));
    put(0x80 | (c >> 6U & 0x3FU));
  }
  put(0x80 | (c & 0x3FU));
}

bool is_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (tail(text, at) < 0x80) {
      ++at;
      continue;
    }
    const size_t start = at;
    if (next_character(text, at) == kReplacement && at == start + 1) return false;
  }
  return true;
}

}  // namespace doorward::filter
