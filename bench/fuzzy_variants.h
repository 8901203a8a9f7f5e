// Near duplicates of a mail's text, as those who send spam make them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace doorward::bench {

// light: another greeting, other numbers and links, a row of random letters at the end. medium: also one word in twenty
// replaced, a sentence inserted, a paragraph of twenty random words. heavy: also one word in eight replaced, paragraphs
// in another order, one left out.
enum class Change { light, medium, heavy };

// `body` is plain text, or HTML whose tags stay as they are (but for the addresses in them).
std::string changed(std::string_view body, bool html, Change change, uint64_t seed);

}  // namespace doorward::bench
