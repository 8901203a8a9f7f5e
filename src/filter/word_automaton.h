// All word lists of all tenants as one automaton (D7), scanned once a mail.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sheet/points.h"

namespace doorward::filter {

enum class Where { subject, body, both };
enum class Spelling { exact, similar };   // similar: leetspeak, spaced letters, homoglyphs
enum class PatternKind { words, regex };  // words: ? is one character, * any number within a word

struct WordEntry {
  std::string pattern;
  sheet::Points points;  // -10 … 10 a hit
  Where where = Where::both;
  Spelling spelling = Spelling::exact;
  PatternKind kind = PatternKind::words;
};

struct WordList {
  uint64_t id;
  std::string name;
  std::vector<WordEntry> entries;
};

struct WordHit {
  uint64_t list;
  uint32_t entry;     // index in the list
  size_t start, end;  // in the text that was scanned
};

class WordAutomaton {
 public:
  // Compiled automata are kept in `cache_directory` (empty: nowhere), so that a start need not compile them again.
  static Result<std::shared_ptr<const WordAutomaton>> compile(std::vector<WordList> lists,
                                                              const std::string& cache_directory);
  // Checks one entry as the editor does: what is wrong with it, or nothing.
  static Result<void> check(const WordEntry& entry);
  ~WordAutomaton();
  // All hits of the lists named (sorted ids) in a UTF-8 text; each entry at most `most_hits` times.
  void scan(std::string_view utf8, Where part, const std::vector<uint64_t>& lists, size_t most_hits,
            const std::function<void(const WordHit&)>& hit) const;
  const WordList* list(uint64_t id) const;

 private:
  struct State;
  explicit WordAutomaton(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::filter
