#include "policy/snapshot.h"

#include <malloc.h>

#include <stdexcept>

#include "policy/compile.h"
#include "policy/tables.h"

namespace doorward::policy {

struct Snapshot::State {
  Compiled compiled;
};

Snapshot::Snapshot(std::unique_ptr<State> state) : state_(std::move(state)) {}
Snapshot::~Snapshot() = default;

Result<std::shared_ptr<const Snapshot>> Snapshot::make(Policy policy, const std::string& cache_directory) {
  policy.number();
  auto compiled = compile(policy, cache_directory);
  if (!compiled) return std::unexpected(compiled.error());
  return std::shared_ptr<const Snapshot>(new Snapshot(std::make_unique<State>(std::move(*compiled))));
}

Result<std::shared_ptr<const Snapshot>> Snapshot::load(store::Database& database, const std::string& cache_directory) {
  auto policy = read_policy(database);
  if (!policy) return std::unexpected(policy.error());
  auto snapshot = make(std::move(*policy), cache_directory);
  // The policy as written is many times as large as the compiled one; a gateway that runs for months should not keep
  // what was needed for a second.
  malloc_trim(0);
  return snapshot;
}

std::shared_ptr<const Snapshot> Snapshot::defaults() {
  auto made = make(Policy{}, {});
  // The program's own word list and rules: nothing from outside can make this fail.
  if (!made) throw std::logic_error("the default policy does not compile: " + made.error().text());
  return *made;
}

Resolved Snapshot::resolve(const mail::Mailbox& recipient) const {
  return state_->compiled.directory.resolve(recipient);
}

const std::shared_ptr<const Settings>& Snapshot::fallback() const { return state_->compiled.fallback; }

std::shared_ptr<const Settings> Snapshot::outbound(const mail::IpAddress& ip) const {
  return state_->compiled.relay_networks.find(ip);
}

std::span<const std::string> Snapshot::trusted_sealers(uint64_t customer) const {
  const auto at = state_->compiled.trusted_sealers.find(customer);
  if (at == state_->compiled.trusted_sealers.end()) return {};
  return at->second;
}

std::string_view Snapshot::notice_language(uint64_t customer) const {
  const auto at = state_->compiled.notice_languages.find(customer);
  return at == state_->compiled.notice_languages.end() ? std::string_view() : at->second;
}

std::shared_ptr<const Settings> Snapshot::domain(const mail::Domain& domain) const {
  return state_->compiled.directory.settings(domain);
}

const Rule& Snapshot::rule_for(const Settings& settings, sheet::Direction direction, const mail::IpAddress& ip,
                               const std::string& sender_key, const std::string& recipient_key) const {
  for (const auto& rule : settings.rules) {
    if (rule->matches(direction, ip, sender_key, recipient_key)) return *rule;
  }
  throw std::logic_error("settings without a rule that always matches");
}

bool Snapshot::is_protected(const mail::Domain& domain) const { return state_->compiled.directory.contains(domain); }
const filter::WordAutomaton* Snapshot::words() const { return state_->compiled.words.get(); }

std::vector<std::shared_ptr<const Backend>> Snapshot::backends() const { return state_->compiled.backends; }
size_t Snapshot::domain_count() const { return state_->compiled.directory.domains(); }

}  // namespace doorward::policy
