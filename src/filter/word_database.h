// The compiled part of the word automaton: two libhs databases (the literals of all word entries; what own regular
// expressions have in common with the text), kept on disk between starts.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace doorward::filter {

class WordDatabase {
 public:
  struct Source {
    std::vector<std::string> literals;  // bytes, each at least two, distinct
    std::vector<std::string> regexes;   // RE2's syntax, checked
  };
  // Regexes that libhs cannot take are listed in beyond(): they are to be run by themselves.
  static Result<std::unique_ptr<const WordDatabase>> open(const Source& source, const std::string& cache_directory);
  // Whether libhs can take a regex, and cheaply.
  static bool can_take(const std::string& regex);
  ~WordDatabase();

  // What one scan needs; not to be used by two threads at once.
  class Scratch;
  struct ScratchDeleter {
    void operator()(Scratch* scratch) const;
  };
  using ScratchHandle = std::unique_ptr<Scratch, ScratchDeleter>;
  ScratchHandle make_scratch() const;

  // Called with the literal's index and where it ends, in order of ends.
  template <class Found>
  void find_literals(std::string_view bytes, Scratch& scratch, Found&& found) const {
    scan_literals(bytes, scratch, &found, [](void* context, size_t literal, size_t end) {
      (*static_cast<std::remove_reference_t<Found>*>(context))(literal, end);
    });
  }
  // The indexes of the regexes that may match, once each. Precondition: `utf8` is UTF-8.
  void find_regexes(std::string_view utf8, Scratch& scratch, std::vector<size_t>& found) const;
  const std::vector<size_t>& beyond() const;
  bool came_from_cache() const;

 private:
  struct State;
  explicit WordDatabase(std::unique_ptr<State> state);
  void scan_literals(std::string_view bytes, Scratch& scratch, void* context,
                     void (*found)(void*, size_t, size_t)) const;
  std::unique_ptr<State> state_;
};

}  // namespace doorward::filter
