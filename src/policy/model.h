// The whole policy as it is written down: what the policy file, the store and the portal know. Settings are text here;
// compile.h makes what a mail is judged by.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "filter/entries.h"
#include "filter/word_automaton.h"
#include "policy/settings.h"

namespace doorward::policy {

enum class Level : uint8_t { provider, reseller, customer, domain, mailbox };

// A setting of one level. `line` is where the file has it, 0 where it came from elsewhere.
struct Setting {
  std::string value;    // canonical, as config::check() returns it
  bool locked = false;  // levels below may not set it
  uint32_t line = 0;
};
using SettingMap = std::map<std::string, Setting, std::less<>>;

struct WrittenRule {
  std::string name;
  std::optional<sheet::Direction> direction{};  // none: both
  std::vector<mail::Network> networks{};
  std::string sender = "*";
  std::string recipient = "*";
  RuleMode mode = RuleMode::check;
  std::string threshold{};                                    // as the setting; empty: the recipient's setting decides
  std::map<std::string, std::string, std::less<>> filters{};  // "words.weight" → "2": overrides of the settings
};

struct RuleSet {  // a shared base set, chosen by the setting rule_sets
  uint64_t id = 0;
  std::string name;
  std::vector<WrittenRule> rules;
  uint32_t line = 0;
};

// Without it, the legal modes quarantine and discard do not hold.
struct Consent {
  LegalMode mode = LegalMode::quarantine;
  std::string who;
  std::string when;  // "2026-11-22" or with a time
  std::string text;  // what was agreed
};

struct Tenant {
  Level level = Level::provider;
  uint64_t id = 0;  // 0: not stored yet
  uint32_t line = 0;
  std::string name;  // a domain's name, a mailbox's whole address; empty for the provider
  SettingMap settings;
  std::vector<WrittenRule> rules;      // its own set
  std::vector<filter::Entry> entries;  // its blocks and passes
  std::vector<Consent> consents;       // of a domain
  std::vector<std::string> aliases;    // of a mailbox: whole addresses
  std::vector<Tenant> below;
};

struct WrittenWordList {
  filter::WordList list;
  uint32_t line = 0;
};

struct Policy {
  Policy() {
    provider.level = Level::provider;
    provider.id = kProviderId;
  }
  static constexpr uint64_t kBaseListId = 1;  // filter::base_word_list()
  static constexpr uint64_t kProviderId = 2;
  static constexpr uint64_t kDefaultCustomerId = 3;
  static constexpr uint64_t kFirstId = 100;  // ids under it are reserved

  Tenant provider;  // below it resellers, and customers without one
  std::vector<Backend> backends;
  std::vector<RuleSet> rule_sets;
  std::vector<WrittenWordList> word_lists;  // besides the base list

  // Puts everything that has no order of its own into the order of its names.
  void sort();
  // Gives an id to everything that has none yet: `next` counts on from the largest one, or from kFirstId.
  void number(uint64_t next = 0);
};

}  // namespace doorward::policy
