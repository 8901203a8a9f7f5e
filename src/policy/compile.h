// From the policy as written to what a mail is judged by.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "policy/directory.h"
#include "policy/model.h"
#include "policy/relay_networks.h"

namespace doorward::policy {

struct Compiled {
  std::vector<std::unique_ptr<const filter::Entries>> entries;  // the settings point to them
  std::shared_ptr<const filter::WordAutomaton> words;
  std::shared_ptr<const Settings> fallback;
  std::vector<std::shared_ptr<const Backend>> backends;
  Directory directory;
  RelayNetworks relay_networks;
  std::unordered_map<uint64_t, std::string> notice_languages;              // by customer
  std::unordered_map<uint64_t, std::vector<std::string>> trusted_sealers;  // by customer
};

// `cache_directory` keeps the word automaton; empty: nowhere. Errors name the tenant or the list.
Result<Compiled> compile(const Policy& policy, const std::string& cache_directory);

// A rule's pattern as it is compared: lower case, and a domain without wildcards in A-labels.
std::string pattern_key(std::string_view pattern);

}  // namespace doorward::policy
