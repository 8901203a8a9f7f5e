#include "filter/word_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "filter/evidence.h"
#include "filter/word_automaton.h"

namespace doorward::filter {
namespace {

constexpr size_t kMostHits = 5;        // of one entry in one place
constexpr size_t kMostFindings = 100;  // a mail
constexpr size_t kShownHit = 60;       // bytes

enum class Place { subject, body, hidden };

constexpr std::string_view name(Place place) {
  return place == Place::subject ? "subject" : place == Place::body ? "body" : "hidden text";
}

struct Count {
  size_t hits = 0;
  std::string first;  // what the first hit was
};
// By list, entry and place.
using Counts = std::map<std::tuple<uint64_t, uint32_t, Place>, Count>;

void count(const Case& mail, std::string_view text, Place place, Counts& counts) {
  Counts here;
  mail.input.words->scan(text, place == Place::subject ? Where::subject : Where::body, mail.input.word_lists, kMostHits,
                         [&](const WordHit& hit) {
                           auto& seen = here[{hit.list, hit.entry, place}];
                           if (seen.hits++ == 0)
                             seen.first = printable(text.substr(hit.start, hit.end - hit.start), kShownHit);
                         });
  // The same words in the plain and in the HTML form of one mail are said once: the form that says more counts.
  for (auto& [key, seen] : here) {
    auto& most = counts[key];
    if (seen.hits > most.hits) most = std::move(seen);
  }
}

class WordLists final : public Filter {
 public:
  const FilterInfo& info() const override {
    static const FilterInfo info{
        .name = "word_list",
        .sentence = "Looks for words and phrases of the word lists in the subject and the visible text.",
        .scope = Scope::tenant,
        .cost = Cost::cpu,
        .lowest = -1000,
        .highest = 1000,
        .default_weight = 1,
        .default_cap = 10,
        .symbols = {
            {"word_hit", "A word or phrase of a word list stands in the mail; the entry brings its own points."},
            {"word_hidden", "A word or phrase of a word list stands in text that the reader cannot see."}}};
    return info;
  }

  void judge(const Case& mail, sheet::Findings& findings) const override {
    if (mail.input.words == nullptr || mail.input.word_lists.empty()) return;
    Counts counts;
    count(mail, mail.message.subject(), Place::subject, counts);
    for (const auto& text : mail.message.texts()) {
      count(mail, text.visible, Place::body, counts);
      if (!text.hidden.empty()) count(mail, text.hidden, Place::hidden, counts);
    }
    size_t made = 0;
    for (const auto& [key, seen] : counts) {
      const auto& [list_id, index, place] = key;
      const WordList* list = mail.input.words->list(list_id);
      if (list == nullptr || index >= list->entries.size()) continue;
      const WordEntry& entry = list->entries[index];
      // Good words that nobody sees are there to deceive.
      if (place == Place::hidden && entry.points < sheet::Points()) continue;
      if (made++ == kMostFindings) return;
      findings.push_back(
          {.filter = "word_list",
           .symbol = place == Place::hidden ? "word_hidden" : "word_hit",
           .strength = static_cast<double>(seen.hits),
           .evidence = fmt::format("\"{}\" {} times in the {}: \"{}\"", printable(entry.pattern, kShownHit), seen.hits,
                                   name(place), seen.first),
           .owner = list_id,
           .own_points = sheet::Points::from_milli(entry.points.milli() * static_cast<int64_t>(seen.hits))});
    }
  }
};

}  // namespace

const Filter& word_list() {
  static const WordLists filter;
  return filter;
}

}  // namespace doorward::filter
