// The plain input of the filters: what the tenants of one mail's recipients have set. policy/ fills it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace doorward::trust {
class WordStatistics;
struct Features;
class Sightings;
class Correspondence;
struct Fingerprint;
}  // namespace doorward::trust

namespace doorward::filter {

class Entries;        // blocks and passes of one tenant, compiled: filter/entries.h
class WordAutomaton;  // all word lists of all tenants: filter/word_automaton.h

// A protected domain that the mail claims to come from, in its envelope or in From.
struct OwnDomainClaim {
  uint64_t customer = 0;
  std::string domain;  // A-labels
};

// Domains whose ARC seals a customer believes; views into the snapshot.
struct TrustedSealers {
  uint64_t customer = 0;
  std::span<const std::string> domains;
};

// Recipients of one customer, as they are known to whoever writes to them.
struct Recipients {
  uint64_t customer = 0;
  std::vector<std::string> addresses;
};

struct Input {
  const WordAutomaton* words = nullptr;
  std::vector<uint64_t> word_lists;     // sorted ids of the lists that apply to some recipient
  std::vector<const Entries*> entries;  // of some recipient's mailbox, domain, customer, reseller, provider
  const trust::WordStatistics* statistics = nullptr;
  const trust::Features* features =
      nullptr;                         // of this message, made once for judging and learning; set with statistics
  std::vector<OwnDomainClaim> claims;  // those of a recipient's customer
  std::vector<TrustedSealers> trusted_sealers;
  std::vector<uint64_t> customers;  // sorted ids of the recipients' customers
  const trust::Sightings* sightings = nullptr;
  const trust::Fingerprint* fingerprint = nullptr;  // of this message, made once too; set with sightings
  const trust::Correspondence* correspondence = nullptr;
  std::vector<Recipients> correspondents{};  // by customer; set with correspondence
};

}  // namespace doorward::filter
