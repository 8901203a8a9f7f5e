// A text folded for the word automaton: one coarse letter for all that are swapped for one another, runs of one letter
// and of white space squeezed to one, marks and invisible characters gone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace doorward::filter {

struct FoldedText {
  std::vector<char> buffer;      // only ever grows: clearing it for each mail would cost more than folding
  std::vector<uint32_t> origin;  // for each byte, and one beyond: where its character stands in the text
  size_t size = 0;
  std::string_view bytes() const { return {buffer.data(), size}; }
};
// Appends the fold of `text`. Precondition: all together less than 1 GB.
void fold_text(std::string_view text, FoldedText& folded);

// Letters that stand singly with one sign between each ("v i a g r a", "v.i.a.g.r.a"), put together: runs of three and
// more, each on a line of its own. Latin letters and what folds to them only.
struct JoinedLetters {
  std::string text;              // UTF-8, as in the original
  std::vector<uint32_t> origin;  // for each byte: where its character stands in the original
  std::vector<uint32_t> end;     // for each byte: where it ends there
};
void join_spaced_letters(std::string_view text, const FoldedText& folded, JoinedLetters& joined);

}  // namespace doorward::filter
