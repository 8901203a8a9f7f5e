// The plain input of the filters: what the tenants of one mail's recipients have set. policy/ fills it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace doorward::trust {
class WordStatistics;
struct Features;
class Sightings;
struct Fingerprint;
}  // namespace doorward::trust

namespace doorward::filter {

class Entries;        // blocks and passes of one tenant, compiled: filter/entries.h
class WordAutomaton;  // all word lists of all tenants: filter/word_automaton.h

struct Input {
  const WordAutomaton* words = nullptr;
  std::vector<uint64_t> word_lists;     // sorted ids of the lists that apply to some recipient
  std::vector<const Entries*> entries;  // of some recipient's mailbox, domain, customer, reseller, provider
  const trust::WordStatistics* statistics = nullptr;
  const trust::Features* features =
      nullptr;                      // of this message, made once for judging and learning; set with statistics
  std::vector<uint64_t> customers;  // sorted ids of the recipients' customers
  const trust::Sightings* sightings = nullptr;
  const trust::Fingerprint* fingerprint = nullptr;  // of this message, made once too; set with sightings
};

}  // namespace doorward::filter
