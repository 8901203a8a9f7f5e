// Characters as the word lists look at them: what they fold to, what they look like, where words end.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace doorward::filter {

struct Letter {
  // The class of characters that spammers swap for one another ("i l 1 ! |", "o 0", "а a"); the same for upper and
  // lower case. 0: left out when text is folded (combining marks, invisible characters).
  char32_t coarse = 0;
  char32_t visual = 0;  // the lower-case letter that it looks like, without marks
  bool word = false;    // a letter or digit
  bool open = false;    // of a script that is written without spaces: words may begin and end anywhere
  bool space = false;
  bool invisible = false;  // zero-width and the like (Default_Ignorable_Code_Point)
};
// Safe from any thread.
Letter letter_of(char32_t c);

// Simple case folding.
char32_t folded(char32_t c);

// Whether the text's character `c` may stand for the pattern's case-folded character `wanted` in similar spelling.
enum class Likeness { none, same, look_alike, stand_in };  // stand_in: a digit or sign for a letter
Likeness likeness(char32_t wanted, char32_t c);

// The character at `at` and on to the next one; bytes that are not UTF-8 are U+FFFD, one byte each.
// Precondition: at < text.size().
char32_t next_character(std::string_view text, size_t& at);
// The character before `at` and back to its start. Precondition: at > 0.
char32_t previous_character(std::string_view text, size_t& at);
void append_utf8(std::string& out, char32_t c);
bool is_utf8(std::string_view text);

}  // namespace doorward::filter
