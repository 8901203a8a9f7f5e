// Word lists: entries as a tenant may write them, and texts as a stranger may send them. The input's first line is an
// entry (its first byte chooses kind and spelling), the rest is the text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "filter/word_automaton.h"

namespace {

using doorward::filter::PatternKind;
using doorward::filter::Spelling;
using doorward::filter::Where;
using doorward::filter::WordAutomaton;
using doorward::filter::WordEntry;

const WordAutomaton& fixed_lists() {
  static const auto words = [] {
    std::vector<WordEntry> entries;
    for (const char* pattern : {"viagra", "click * here", "*casino*", "v?agra", "größe", "100% free", "发票"}) {
      for (const auto spelling : {Spelling::exact, Spelling::similar}) {
        entries.push_back({.pattern = pattern, .points = doorward::sheet::Points::of(1), .spelling = spelling});
      }
    }
    entries.push_back({.pattern = "gr[ae]tis|fr..", .points = {}, .kind = PatternKind::regex});
    return *WordAutomaton::compile({{.id = 1, .name = "fuzz", .entries = std::move(entries)}}, "");
  }();
  return *words;
}

void scan(const WordAutomaton& words, std::string_view text) {
  words.scan(text, Where::body, {1}, 3, [&](const doorward::filter::WordHit& hit) {
    if (hit.start > hit.end || hit.end > text.size()) std::abort();
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool quiet = doorward::log::set_target("off").has_value();
  if (!quiet || size < 2) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = input.find('\n');
  const std::string_view text = end == std::string_view::npos ? input : input.substr(end + 1);
  scan(fixed_lists(), text);
  WordEntry entry{.pattern = std::string(input.substr(1, end == std::string_view::npos ? 40 : end - 1)),
                  .points = doorward::sheet::Points::of(1),
                  .spelling = (data[0] & 1U) != 0 ? Spelling::similar : Spelling::exact,
                  .kind = (data[0] & 2U) != 0 ? PatternKind::regex : PatternKind::words};
  if (!WordAutomaton::check(entry)) return 0;
  const auto words = WordAutomaton::compile({{.id = 1, .name = "one", .entries = {std::move(entry)}}}, "");
  if (!words) std::abort();  // what check() takes, compile() takes
  scan(**words, text);
  return 0;
}
