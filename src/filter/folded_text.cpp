#include "filter/folded_text.h"

#include <array>

#include "filter/letters.h"

namespace doorward::filter {
namespace {

constexpr size_t kShortestRun = 3;  // letters

constexpr bool is_letter(char c) { return c >= 'a' && c <= 'z'; }
// A sign that spammers put between letters: any that does not itself stand for a letter, and white space.
constexpr std::array<bool, 256> kBetween = [] {
  std::array<bool, 256> table{};
  for (const char c :
       {' ', '.', '-', '_', '*', ',', '/', '\\', '\'', '"', '~', '^', ':', ';', '+', '=', '#', '\'', '`'}) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();
constexpr bool is_between(char c) { return kBetween[static_cast<unsigned char>(c)]; }

}  // namespace

void fold_text(std::string_view text, FoldedText& folded) {
  // At worst a byte that is no UTF-8 folds to the three of U+FFFD.
  const size_t most = folded.size + text.size() * 3 + 1;
  if (folded.buffer.size() < most) {
    folded.buffer.resize(most);
    folded.origin.resize(most);
  }
  char* out = folded.buffer.data() + folded.size;
  uint32_t* origin = folded.origin.data() + folded.size;
  char32_t last = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    const auto byte = static_cast<unsigned char>(text[at]);
    const char32_t coarse = byte < 128 ? (++at, letter_of(byte).coarse) : letter_of(next_character(text, at)).coarse;
    if (coarse == last || coarse == 0) continue;
    last = coarse;
    if (coarse < 128) {
      *out++ = static_cast<char>(coarse);
      *origin++ = static_cast<uint32_t>(start);
      continue;
    }
    std::string wide;
    append_utf8(wide, coarse);
    for (const char c : wide) {
      *out++ = c;
      *origin++ = static_cast<uint32_t>(start);
    }
  }
  *origin = static_cast<uint32_t>(text.size());
  folded.size = static_cast<size_t>(out - folded.buffer.data());
}

void join_spaced_letters(std::string_view text, const FoldedText& folded, JoinedLetters& joined) {
  joined.text.clear();
  joined.origin.clear();
  joined.end.clear();
  const std::string_view bytes = folded.bytes();
  const auto single = [&](size_t i) {  // a letter alone, with a sign or an end on both sides
    return i < bytes.size() && is_letter(bytes[i]) && (i == 0 || is_between(bytes[i - 1])) &&
           (i + 1 >= bytes.size() || is_between(bytes[i + 1]));
  };
  const auto end_line = [&](size_t origin) {
    joined.text += '\n';
    joined.origin.push_back(static_cast<uint32_t>(origin));
    joined.end.push_back(static_cast<uint32_t>(origin));
  };
  const auto put = [&](size_t i) {
    const size_t start = folded.origin[i];
    size_t end = start;
    next_character(text, end);
    joined.text.append(text, start, end - start);
    joined.origin.resize(joined.text.size(), static_cast<uint32_t>(start));
    joined.end.resize(joined.text.size(), static_cast<uint32_t>(end));
  };
  // Three letters alone have signs at four places, two apart: most places are ruled out by one look.
  for (size_t i = 0; i + 2 * kShortestRun - 2 < bytes.size();) {
    if (!is_between(bytes[i + 3])) {
      // No run begins at i or i + 2, and none at i + 1 or i + 3 unless a sign stands between those.
      i += is_between(bytes[i + 2]) ? 1 : 4;
      continue;
    }
    if (!single(i) || !single(i + 2) || !single(i + 4)) {
      ++i;
      continue;
    }
    size_t j = i;
    if (joined.text.empty()) end_line(folded.origin[i]);
    for (; single(j); j += 2) put(j);
    end_line(folded.origin[j - 1]);
    i = j;
  }
}

}  // namespace doorward::filter
