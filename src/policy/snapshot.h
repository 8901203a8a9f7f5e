// All tenants' settings, compiled and immutable. A reload builds a new one off-thread; a mail pins the one it began
// with.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "filter/word_automaton.h"
#include "policy/settings.h"

namespace doorward::store {
class Database;
}

namespace doorward::policy {

struct Policy;

class Snapshot {
 public:
  static Result<std::shared_ptr<const Snapshot>> load(store::Database& database, const std::string& cache_directory);
  // What `doorward scan` and the benchmark use without a store: one customer, no domains, the default rules.
  static std::shared_ptr<const Snapshot> defaults();
  // From a policy as written, without a store (model.h; validate() it first).
  static Result<std::shared_ptr<const Snapshot>> make(Policy policy, const std::string& cache_directory);
  ~Snapshot();

  // Aliases and catch-all are followed; rewriting is the actions' affair and comes before.
  Resolved resolve(const mail::Mailbox& recipient) const;
  // The customer-independent settings that mail without a protected recipient is judged by (scan, evaluate).
  const std::shared_ptr<const Settings>& fallback() const;
  // The settings for outgoing mail of the customer whose mail server has that address; none: nobody's.
  std::shared_ptr<const Settings> outbound(const mail::IpAddress& ip) const;
  // A protected domain's own settings; none where it is not protected.
  std::shared_ptr<const Settings> domain(const mail::Domain& domain) const;
  // "de" or the like, of that customer; "" for a customer who is not there.
  std::string_view notice_language(uint64_t customer) const;
  // Domains whose ARC seals that customer trusts.
  std::span<const std::string> trusted_sealers(uint64_t customer) const;
  // The first rule that matches.
  const Rule& rule_for(const Settings& settings, sheet::Direction direction, const mail::IpAddress& ip,
                       const std::string& sender_key, const std::string& recipient_key) const;
  bool is_protected(const mail::Domain& domain) const;
  const filter::WordAutomaton* words() const;
  std::vector<std::shared_ptr<const Backend>> backends() const;
  size_t domain_count() const;

 private:
  struct State;
  explicit Snapshot(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::policy
