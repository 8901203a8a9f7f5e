#include "filter/word_automaton.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <unordered_map>

#include "base/log.h"
#include "filter/folded_text.h"
#include "filter/letters.h"
#include "filter/word_database.h"
#include "filter/word_pattern.h"

namespace doorward::filter {
namespace {

constexpr double kMostPoints = 10;
constexpr size_t kLongestRegex = 500;      // bytes
constexpr int kLargestProgram = 3000;      // RE2 instructions
constexpr int64_t kRegexMemory = 1 << 20;  // bytes
constexpr size_t kMostRegexes = 5000;
constexpr size_t kMostBeyond = 100;       // regexes that run by themselves on every text
constexpr size_t kRegexText = 64 * 1024;  // bytes of a text that regexes look at
constexpr size_t kMostText = 16 << 20;    // bytes of a text that anything looks at
constexpr size_t kStepsAtLeast = 1 << 20, kStepsPerByte = 64;
constexpr size_t kMostTries = 16;        // places in a run of one letter
constexpr size_t kKeptBuffer = 1 << 20;  // bytes

re2::RE2::Options regex_options() {
  re2::RE2::Options options;
  options.set_case_sensitive(false);
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemory);
  return options;
}

Result<std::unique_ptr<re2::RE2>> parse_regex(const WordEntry& entry) {
  if (entry.pattern.empty()) return fail("The pattern is empty.");
  if (entry.pattern.size() > kLongestRegex) return fail("The regular expression is longer than 500 bytes.");
  if (!is_utf8(entry.pattern) || entry.pattern.contains('\0')) return fail("The regular expression is not UTF-8.");
  if (entry.pattern.contains("\\C")) return fail("The regular expression contains \\C: match characters, not bytes.");
  auto regex = std::make_unique<re2::RE2>(entry.pattern, regex_options());
  if (!regex->ok()) return fail(fmt::format("The regular expression is wrong: {}.", regex->error()));
  if (regex->ProgramSize() > kLargestProgram || regex->ReverseProgramSize() > kLargestProgram) {
    return fail("The regular expression is too large: use smaller repeat counts.");
  }
  if (re2::RE2::PartialMatch("", *regex))
    return fail("The regular expression matches the empty text, so it would always hit.");
  return regex;
}

Result<void> check_points(const WordEntry& entry) {
  if (entry.points < sheet::Points::of(-kMostPoints) || entry.points > sheet::Points::of(kMostPoints)) {
    return fail("The points must lie between -10 and 10.");
  }
  return {};
}

// A words entry as it is kept: its tokens lie with all others' in one array.
struct CompiledWords {
  uint32_t list, entry;  // indexes
  uint32_t first_token;
  uint16_t tokens, factor_token;
  Spelling spelling;
  Where where;
};
struct CompiledRegex {
  uint32_t list, entry;
  uint32_t regex;
  Where where;
};

}  // namespace

struct WordAutomaton::State {
  std::vector<WordList> lists;  // sorted by id
  std::vector<WordToken> tokens;
  std::vector<CompiledWords> words;     // sorted by literal …
  std::vector<uint8_t> literal_length;  // bytes, by literal
  std::vector<uint32_t> words_begin;    // … where each literal's begin, and one beyond
  std::vector<CompiledRegex> regexes;   // sorted by regex
  std::vector<uint32_t> regexes_begin;
  std::vector<std::unique_ptr<re2::RE2>> matchers;  // by regex
  std::unique_ptr<const WordDatabase> database;
  bool any_similar = false;

  // What one scan needs: as many as there are scans at once.
  struct Workspace {
    WordDatabase::ScratchHandle scratch;
    FoldedText folded;
    JoinedLetters joined;
    std::vector<uint8_t> applies;  // by list index
    struct Touched {
      uint32_t words;
      size_t hits = 0;
      size_t free_from[2] = {0, 0};  // hits do not overlap: in the text, in the joined letters
    };
    std::vector<Touched> touched;
    std::vector<uint32_t> slot;  // by words entry: its place in `touched`, from 1
    std::vector<size_t> regexes;
    std::string repaired;
  };
  mutable std::mutex lock;
  mutable std::vector<std::unique_ptr<Workspace>> idle;

  std::unique_ptr<Workspace> take() const {
    {
      const std::scoped_lock held(lock);
      if (!idle.empty()) {
        auto workspace = std::move(idle.back());
        idle.pop_back();
        return workspace;
      }
    }
    auto workspace = std::make_unique<Workspace>();
    workspace->scratch = database->make_scratch();
    workspace->applies.resize(lists.size());
    workspace->slot.resize(words.size());
    return workspace;
  }
  void give_back(std::unique_ptr<Workspace> workspace) const {
    if (workspace->folded.buffer.size() > kKeptBuffer) {
      workspace->folded = {};
      workspace->joined = {};
      workspace->repaired = {};
    }
    const std::scoped_lock held(lock);
    idle.push_back(std::move(workspace));
  }

  Result<void> add_words(std::map<std::string, std::vector<CompiledWords>>& by_literal, uint32_t list, uint32_t entry);
  Result<void> add_regex(std::map<std::string, std::vector<CompiledRegex>>& by_text, uint32_t list, uint32_t entry);
  Result<void> compile(const std::string& cache_directory);

  struct Scan;
};

Result<void> WordAutomaton::State::add_words(std::map<std::string, std::vector<CompiledWords>>& by_literal,
                                             uint32_t list, uint32_t entry) {
  const WordEntry& source = lists[list].entries[entry];
  auto pattern = parse_words(source);
  if (!pattern) return std::unexpected(pattern.error());
  by_literal[pattern->factor].push_back({.list = list,
                                         .entry = entry,
                                         .first_token = static_cast<uint32_t>(tokens.size()),
                                         .tokens = static_cast<uint16_t>(pattern->tokens.size()),
                                         .factor_token = static_cast<uint16_t>(pattern->factor_token),
                                         .spelling = source.spelling,
                                         .where = source.where});
  tokens.insert(tokens.end(), pattern->tokens.begin(), pattern->tokens.end());
  any_similar |= source.spelling == Spelling::similar;
  return {};
}

Result<void> WordAutomaton::State::add_regex(std::map<std::string, std::vector<CompiledRegex>>& by_text, uint32_t list,
                                             uint32_t entry) {
  const WordEntry& source = lists[list].entries[entry];
  auto regex = parse_regex(source);
  if (!regex) return std::unexpected(regex.error());
  if (by_text.size() >= kMostRegexes && !by_text.contains(source.pattern))
    return fail("There are too many regular expressions in all lists together.");
  by_text[source.pattern].push_back({.list = list, .entry = entry, .regex = 0, .where = source.where});
  return {};
}

Result<void> WordAutomaton::State::compile(const std::string& cache_directory) {
  std::map<std::string, std::vector<CompiledWords>> by_literal;
  std::map<std::string, std::vector<CompiledRegex>> by_text;
  for (uint32_t l = 0; l < lists.size(); ++l) {
    for (uint32_t e = 0; e < lists[l].entries.size(); ++e) {
      const WordEntry& entry = lists[l].entries[e];
      auto added = check_points(entry);
      if (added) added = entry.kind == PatternKind::regex ? add_regex(by_text, l, e) : add_words(by_literal, l, e);
      // One bad entry must not take the others down; the editor has refused it in its time.
      if (!added) {
        log::warning(
            "words.entry_skipped",
            {{"list", lists[l].name}, {"id", lists[l].id}, {"pattern", entry.pattern}, {"error", added.error().what}});
      }
    }
  }
  WordDatabase::Source source;
  for (auto& [literal, entries] : by_literal) {
    source.literals.push_back(literal);
    literal_length.push_back(static_cast<uint8_t>(literal.size()));
    words_begin.push_back(static_cast<uint32_t>(words.size()));
    words.insert(words.end(), entries.begin(), entries.end());
  }
  words_begin.push_back(static_cast<uint32_t>(words.size()));
  for (auto& [text, entries] : by_text) {
    regexes_begin.push_back(static_cast<uint32_t>(regexes.size()));
    for (auto& entry : entries) {
      entry.regex = static_cast<uint32_t>(source.regexes.size());
      regexes.push_back(entry);
    }
    source.regexes.push_back(text);
    matchers.push_back(std::make_unique<re2::RE2>(text, regex_options()));
  }
  regexes_begin.push_back(static_cast<uint32_t>(regexes.size()));
  auto opened = WordDatabase::open(source, cache_directory);
  if (!opened) return std::unexpected(opened.error());
  database = std::move(*opened);
  if (database->beyond().size() > kMostBeyond) {
    log::warning("words.regexes_skipped", {{"count", database->beyond().size() - kMostBeyond}});
  }
  tokens.shrink_to_fit();
  return {};
}

// One text's scan.
struct WordAutomaton::State::Scan {
  const State& state;
  Workspace& work;
  std::string_view text;
  Where part;
  size_t most_hits;
  const std::function<void(const WordHit&)>& hit;
  size_t boundary = 0;  // in the folded bytes: where the joined letters begin
  size_t steps = 0;

  bool is_wanted(uint32_t list, Where where) const {
    return work.applies[list] != 0 && (where == Where::both || part == Where::both || where == part);
  }
  void run_words();
  void literal_found(size_t literal, size_t end);
  void confirm(uint32_t index, size_t begin, Workspace::Touched& seen);
  Workspace::Touched& touched(uint32_t index) {
    if (work.slot[index] == 0) {
      work.touched.push_back({.words = index});
      work.slot[index] = static_cast<uint32_t>(work.touched.size());
    }
    return work.touched[work.slot[index] - 1];
  }
  void run_regexes();
  void run_regex(size_t regex, std::string_view utf8);
};

void WordAutomaton::State::Scan::run_words() {
  if (state.words.empty()) return;
  work.folded.size = 0;
  fold_text(text, work.folded);
  boundary = work.folded.size;
  if (state.any_similar) {
    join_spaced_letters(text, work.folded, work.joined);
    if (!work.joined.text.empty()) fold_text(work.joined.text, work.folded);
  }
  steps = kStepsAtLeast + text.size() * kStepsPerByte;
  state.database->find_literals(work.folded.bytes(), *work.scratch,
                                [this](size_t literal, size_t end) { literal_found(literal, end); });
  for (const auto& one : work.touched) work.slot[one.words] = 0;
  work.touched.clear();
}

void WordAutomaton::State::Scan::literal_found(size_t literal, size_t end) {
  const size_t begin = end - state.literal_length[literal];
  const bool joined = begin >= boundary;
  if (!joined && end > boundary) return;
  for (uint32_t i = state.words_begin[literal]; i < state.words_begin[literal + 1]; ++i) {
    const CompiledWords& entry = state.words[i];
    if (!is_wanted(entry.list, entry.where)) continue;
    if (joined && entry.spelling == Spelling::exact) continue;
    auto& seen = touched(i);
    if (seen.hits < most_hits) confirm(i, begin, seen);
  }
}

void WordAutomaton::State::Scan::confirm(uint32_t index, size_t begin, Workspace::Touched& seen) {
  const CompiledWords& entry = state.words[index];
  const bool joined = begin >= boundary;
  const WordMatch pattern{.tokens = std::span(state.tokens).subspan(entry.first_token, entry.tokens),
                          .factor_token = entry.factor_token,
                          .spelling = entry.spelling,
                          .joined = joined};
  const std::string_view in = joined ? std::string_view(work.joined.text) : text;
  const size_t fold_end = joined ? work.folded.size : boundary;
  // The folded letter stands for a run of letters, and the factor may begin with any of them.
  size_t at = work.folded.origin[begin];
  size_t next = begin + 1;
  while (next < fold_end && work.folded.origin[next] == at) ++next;
  const size_t run_end = next < fold_end ? work.folded.origin[next] : in.size();
  for (size_t tries = 0; tries < kMostTries && at < run_end; ++tries) {
    const auto span = match_word(pattern, in, at, steps);
    if (span && span->start >= seen.free_from[joined ? 1 : 0]) {
      seen.free_from[joined ? 1 : 0] = span->end;
      ++seen.hits;
      const size_t start = joined ? work.joined.origin[span->start] : span->start;
      const size_t end = joined ? work.joined.end[span->end - 1] : span->end;
      hit({.list = state.lists[entry.list].id, .entry = entry.entry, .start = start, .end = end});
      return;
    }
    next_character(in, at);
  }
}

// libhs says which regexes may match at all; RE2, in linear time, where.
void WordAutomaton::State::Scan::run_regexes() {
  const bool any = std::ranges::any_of(state.regexes, [&](const auto& one) { return is_wanted(one.list, one.where); });
  if (!any) return;
  std::string_view utf8 = text.substr(0, kRegexText);
  if (!is_utf8(utf8)) {
    // Both want UTF-8; one byte is put for one, so that places stay.
    work.repaired.assign(utf8);
    for (size_t at = 0; at < work.repaired.size();) {
      const size_t start = at;
      if (next_character(work.repaired, at) == 0xFFFD && at == start + 1) work.repaired[start] = '?';
    }
    utf8 = work.repaired;
  }
  work.regexes.clear();
  state.database->find_regexes(utf8, *work.scratch, work.regexes);
  const auto& beyond = state.database->beyond();
  work.regexes.insert(work.regexes.end(), beyond.begin(),
                      beyond.begin() + static_cast<ptrdiff_t>(std::min(beyond.size(), kMostBeyond)));
  for (const size_t regex : work.regexes) run_regex(regex, utf8);
}

void WordAutomaton::State::Scan::run_regex(size_t regex, std::string_view utf8) {
  const auto entries =
      std::span(state.regexes)
          .subspan(state.regexes_begin[regex], state.regexes_begin[regex + 1] - state.regexes_begin[regex]);
  if (std::ranges::none_of(entries, [&](const auto& one) { return is_wanted(one.list, one.where); })) return;
  const re2::StringPiece input(utf8.data(), utf8.size());
  size_t at = 0;
  for (size_t hits = 0; hits < most_hits && at <= utf8.size(); ++hits) {
    re2::StringPiece found;
    if (!state.matchers[regex]->Match(input, at, utf8.size(), re2::RE2::UNANCHORED, &found, 1)) return;
    const auto start = static_cast<size_t>(found.data() - utf8.data());
    if (!found.empty()) {
      for (const auto& one : entries) {
        if (!is_wanted(one.list, one.where)) continue;
        hit({.list = state.lists[one.list].id, .entry = one.entry, .start = start, .end = start + found.size()});
      }
    }
    at = start + std::max<size_t>(found.size(), 1);
  }
}

WordAutomaton::WordAutomaton(std::unique_ptr<State> state) : state_(std::move(state)) {}
WordAutomaton::~WordAutomaton() = default;

Result<std::shared_ptr<const WordAutomaton>> WordAutomaton::compile(std::vector<WordList> lists,
                                                                    const std::string& cache_directory) {
  auto state = std::make_unique<State>();
  state->lists = std::move(lists);
  std::ranges::sort(state->lists, {}, &WordList::id);
  if (auto done = state->compile(cache_directory); !done) return std::unexpected(done.error());
  return std::shared_ptr<const WordAutomaton>(new WordAutomaton(std::move(state)));
}

Result<void> WordAutomaton::check(const WordEntry& entry) {
  if (auto points = check_points(entry); !points) return points;
  if (entry.kind == PatternKind::regex) {
    auto regex = parse_regex(entry);
    if (!regex) return std::unexpected(regex.error());
    if (!WordDatabase::can_take(entry.pattern)) {
      return fail("The regular expression is too dear to be run on every mail: use fewer and smaller repeat counts.");
    }
    return {};
  }
  auto pattern = parse_words(entry);
  if (!pattern) return std::unexpected(pattern.error());
  return {};
}

void WordAutomaton::scan(std::string_view utf8, Where part, const std::vector<uint64_t>& lists, size_t most_hits,
                         const std::function<void(const WordHit&)>& hit) const {
  if (utf8.empty() || lists.empty() || most_hits == 0) return;
  auto work = state_->take();
  bool any = false;
  for (size_t i = 0; i < state_->lists.size(); ++i) {
    work->applies[i] = std::ranges::binary_search(lists, state_->lists[i].id) ? 1 : 0;
    any |= work->applies[i] != 0;
  }
  if (any) {
    State::Scan scan{*state_, *work, utf8.substr(0, kMostText), part, most_hits, hit};
    scan.run_words();
    scan.run_regexes();
  }
  state_->give_back(std::move(work));
}

const WordList* WordAutomaton::list(uint64_t id) const {
  const auto found = std::ranges::lower_bound(state_->lists, id, {}, &WordList::id);
  return found != state_->lists.end() && found->id == id ? &*found : nullptr;
}

}  // namespace doorward::filter
