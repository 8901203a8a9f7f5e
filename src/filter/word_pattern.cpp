#include "filter/word_pattern.h"

#include <algorithm>

#include "filter/letters.h"

namespace doorward::filter {
namespace {

constexpr size_t kLongestPattern = 200;  // bytes
constexpr size_t kMostStars = 8;
constexpr unsigned kStarReach = 40;    // characters
constexpr size_t kLongestFactor = 32;  // bytes; what follows is left to match_word()

using Kind = WordToken::Kind;

std::vector<WordToken> tokens_of(const WordEntry& entry) {
  std::vector<WordToken> tokens;
  const auto last_is = [&](Kind kind) { return !tokens.empty() && tokens.back().kind == kind; };
  for (size_t at = 0; at < entry.pattern.size();) {
    char32_t c = next_character(entry.pattern, at);
    const Letter letter = letter_of(c);
    if (letter.invisible) continue;
    if (letter.space) {
      if (!tokens.empty() && !last_is(Kind::gap)) tokens.push_back({.kind = Kind::gap});
    } else if (c == '?') {
      tokens.push_back({.kind = Kind::one});
    } else if (c == '*') {
      if (!last_is(Kind::many)) tokens.push_back({.kind = Kind::many});
    } else {
      if (c == '\\' && at < entry.pattern.size()) c = next_character(entry.pattern, at);
      c = folded(c);
      const bool again = entry.spelling == Spelling::similar && last_is(Kind::letter) && tokens.back().letter == c;
      if (again && tokens.back().run < 255) {
        ++tokens.back().run;
      } else {
        tokens.push_back({.kind = Kind::letter, .letter = c});
      }
    }
  }
  while (last_is(Kind::gap)) tokens.pop_back();
  return tokens;
}

// The longest stretch of tokens that stands as such in folded text, folded as fold_text() does.
void choose_factor(WordPattern& pattern) {
  std::string stretch;
  size_t begin = 0;
  char32_t last = 0;
  const auto close = [&] {
    if (stretch.size() > pattern.factor.size()) {
      pattern.factor = stretch;
      pattern.factor_token = begin;
    }
    stretch.clear();
    last = 0;
  };
  for (size_t i = 0; i < pattern.tokens.size(); ++i) {
    const WordToken& token = pattern.tokens[i];
    if (token.kind == Kind::one || token.kind == Kind::many) {
      close();
      continue;
    }
    const char32_t c = token.kind == Kind::gap ? U' ' : letter_of(token.letter).coarse;
    if (c == 0 || c == last || stretch.size() >= kLongestFactor) continue;
    if (stretch.empty()) begin = i;
    append_utf8(stretch, c);
    last = c;
  }
  close();
}

// Walks a text character by character, forwards or backwards, past what nobody sees.
struct Cursor {
  std::string_view text;
  size_t at;
  bool forward;

  bool ended() const { return forward ? at >= text.size() : at == 0; }
  std::optional<char32_t> next() {
    while (!ended()) {
      const char32_t c = forward ? next_character(text, at) : previous_character(text, at);
      if (!letter_of(c).invisible) return c;
    }
    return std::nullopt;
  }
  std::optional<char32_t> peek() const {
    Cursor copy = *this;
    return copy.next();
  }
};

struct Tally {
  unsigned same = 0, look_alikes = 0, stand_ins = 0;
  void count(Likeness likeness) {
    if (likeness == Likeness::same) ++same;
    if (likeness == Likeness::look_alike) ++look_alikes;
    if (likeness == Likeness::stand_in) ++stand_ins;
  }
  // "1337" is a number and "сор" a Russian word: enough letters must be what they are.
  bool is_plausible() const {
    if (stand_ins > same + look_alikes) return false;
    return same > 0 || look_alikes >= 5;
  }
};

class Matcher {
 public:
  Matcher(const WordMatch& pattern, size_t& steps) : pattern_(pattern), steps_(steps) {}

  // Matches tokens from `first` on to the pattern's end (backwards: to its beginning).
  bool run(Cursor& cursor, size_t first);
  bool touches_edge(const Cursor& cursor) const {
    const auto next = cursor.peek();
    if (!next) return true;
    const Letter letter = letter_of(*next);
    return !letter.word || letter.open;
  }
  Tally tally;
  std::optional<char32_t> edge;  // the last character taken

 private:
  bool take(const WordToken& token, const WordToken* following, Cursor& cursor);
  bool take_letter(const WordToken& token, const WordToken* following, Cursor& cursor);
  bool ends_word(const Cursor& cursor) const {
    if (pattern_.joined || !edge) return true;
    const Letter letter = letter_of(*edge);
    return !letter.word || letter.open || touches_edge(cursor);
  }

  const WordMatch& pattern_;
  size_t& steps_;
};

bool Matcher::take_letter(const WordToken& token, const WordToken* following, Cursor& cursor) {
  if (pattern_.spelling == Spelling::exact) {
    const auto c = cursor.next();
    edge = c;
    return c && folded(*c) == token.letter;
  }
  for (unsigned i = 0; i < token.run; ++i) {
    const auto c = cursor.next();
    if (!c) return false;
    const Likeness like = likeness(token.letter, *c);
    if (like == Likeness::none) return false;
    tally.count(like);
    edge = c;
  }
  // Letters said again ("viaagra") and their accents, as long as they cannot be the next one's.
  for (auto c = cursor.peek(); c; c = cursor.peek()) {
    const bool mark = letter_of(*c).coarse == 0;
    const bool again = c == edge && !(following != nullptr && following->kind == Kind::letter &&
                                      likeness(following->letter, *c) != Likeness::none);
    if ((!mark && !again) || steps_ == 0) break;
    --steps_;
    cursor.next();
  }
  return true;
}

bool Matcher::take(const WordToken& token, const WordToken* following, Cursor& cursor) {
  if (steps_ == 0) return false;
  --steps_;
  if (token.kind == Kind::letter) return take_letter(token, following, cursor);
  const auto c = cursor.next();
  if (!c) return false;
  edge = c;
  const bool space = letter_of(*c).space;
  if (token.kind == Kind::one) return !space;
  for (auto more = cursor.peek(); space && more && letter_of(*more).space && steps_ > 0; more = cursor.peek()) {
    --steps_;
    cursor.next();
  }
  return space;
}

bool Matcher::run(Cursor& cursor, size_t first) {
  const size_t count = cursor.forward ? pattern_.tokens.size() - first : first + 1;
  const auto token = [&](size_t i) { return &pattern_.tokens[cursor.forward ? first + i : first - i]; };
  // Only the last star need be tried again: what an earlier one gave up, the later one can take.
  struct Star {
    size_t after;
    Cursor cursor;
    Tally tally;
    std::optional<char32_t> edge;
    unsigned taken;
  };
  std::optional<Star> star;
  size_t i = 0;
  while (true) {
    if (i < count && token(i)->kind == Kind::many) {
      star = Star{i + 1, cursor, tally, edge, 0};
      ++i;
      continue;
    }
    if (i == count && ends_word(cursor)) return true;
    if (i < count && take(*token(i), i + 1 < count ? token(i + 1) : nullptr, cursor)) {
      ++i;
      continue;
    }
    if (!star || steps_ == 0 || star->taken == kStarReach) return false;
    --steps_;
    const auto c = star->cursor.next();
    if (!c || (!letter_of(*c).word && letter_of(*c).coarse != 0)) return false;
    ++star->taken;
    star->edge = c;
    cursor = star->cursor;
    tally = star->tally;
    edge = star->edge;
    i = star->after;
  }
}

}  // namespace

Result<WordPattern> parse_words(const WordEntry& entry) {
  if (entry.pattern.empty()) return fail("The pattern is empty.");
  if (entry.pattern.size() > kLongestPattern) return fail("The pattern is longer than 200 bytes.");
  if (!is_utf8(entry.pattern)) return fail("The pattern is not UTF-8.");
  WordPattern pattern;
  pattern.tokens = tokens_of(entry);
  if (static_cast<size_t>(std::ranges::count(pattern.tokens, Kind::many, &WordToken::kind)) > kMostStars) {
    return fail("The pattern has more than eight *.");
  }
  choose_factor(pattern);
  if (pattern.factor.size() < 2) {
    return fail("The pattern needs two different characters beside each other that are neither ? nor *.");
  }
  return pattern;
}

std::optional<WordSpan> match_word(const WordMatch& pattern, std::string_view text, size_t at, size_t& steps) {
  Matcher matcher(pattern, steps);
  Cursor forward{text, at, true};
  if (!matcher.run(forward, pattern.factor_token)) return std::nullopt;
  Cursor backward{text, at, false};
  size_t first = at;
  matcher.edge = Cursor{text, first, true}.next();
  if (pattern.factor_token > 0) {
    if (!matcher.run(backward, pattern.factor_token - 1)) return std::nullopt;
  } else if (!pattern.joined && matcher.edge) {
    const Letter letter = letter_of(*matcher.edge);
    if (letter.word && !letter.open && !matcher.touches_edge(backward)) return std::nullopt;
  }
  if (pattern.joined && !matcher.touches_edge(forward) && !matcher.touches_edge(backward)) return std::nullopt;
  if (pattern.spelling == Spelling::similar && !matcher.tally.is_plausible()) return std::nullopt;
  return WordSpan{backward.at, forward.at};
}

}  // namespace doorward::filter
