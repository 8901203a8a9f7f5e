#include "policy/model.h"

#include <algorithm>

namespace doorward::policy {
namespace {

void sort_below(Tenant& tenant) {
  std::ranges::sort(tenant.below, [](const Tenant& a, const Tenant& b) {
    return a.level != b.level ? a.level < b.level : a.name < b.name;
  });
  std::ranges::sort(tenant.aliases);
  for (Tenant& below : tenant.below) sort_below(below);
}

// Calls `visit` with the id of everything that has one.
template <class Visit>
void each_id(Tenant& tenant, const Visit& visit) {
  visit(tenant.id);
  for (Tenant& below : tenant.below) each_id(below, visit);
}

template <class Visit>
void each_id(Policy& policy, const Visit& visit) {
  each_id(policy.provider, visit);
  for (Backend& backend : policy.backends) visit(backend.id);
  for (RuleSet& set : policy.rule_sets) visit(set.id);
  for (WrittenWordList& written : policy.word_lists) visit(written.list.id);
}

}  // namespace

void Policy::sort() {
  sort_below(provider);
  std::ranges::sort(backends, {}, &Backend::name);
  std::ranges::sort(rule_sets, {}, &RuleSet::name);
  std::ranges::sort(word_lists, {}, [](const WrittenWordList& written) { return written.list.name; });
}

void Policy::number(uint64_t next) {
  if (next == 0) {
    next = kFirstId;
    each_id(*this, [&](uint64_t id) { next = std::max(next, id + 1); });
  }
  each_id(*this, [&](uint64_t& id) {
    if (id == 0) id = next++;
  });
}

}  // namespace doorward::policy
