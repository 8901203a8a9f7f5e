// One entry of a word list, ready to be matched: the automaton finds its factor (its longest stretch without wildcards)
// in the folded text, and match_word() then confirms the whole of it in the text itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "filter/word_automaton.h"

namespace doorward::filter {

struct WordToken {
  enum class Kind : uint8_t { letter, one, many, gap } kind;
  uint8_t run = 1;      // similar spelling: that many of the letter at least
  char32_t letter = 0;  // case-folded
};

struct WordPattern {
  std::vector<WordToken> tokens;
  std::string factor;       // as it stands in folded text; two bytes at least
  size_t factor_token = 0;  // the token at which the factor begins
};

// Errors: what is wrong with the entry, in a person's words. Precondition: entry.kind is words.
Result<WordPattern> parse_words(const WordEntry& entry);

// A pattern against a text, both ways from where its factor begins.
struct WordMatch {
  std::span<const WordToken> tokens;
  size_t factor_token = 0;
  Spelling spelling = Spelling::exact;
  bool joined = false;  // text of spaced letters: one end of the match may lie inside a word
};
struct WordSpan {
  size_t start, end;
};
// The match whose factor begins at `at`, if there is one. Takes what it needs from `steps`; at 0 nothing matches.
std::optional<WordSpan> match_word(const WordMatch& pattern, std::string_view text, size_t at, size_t& steps);

}  // namespace doorward::filter
