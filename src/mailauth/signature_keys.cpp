#include "mailauth/signature_keys.h"

#include <algorithm>
#include <stdexcept>

namespace doorward::mailauth {
namespace {

constexpr size_t kMostRecords = 5;

FoundKeys none(Result fault, std::string reason) {
  FoundKeys found;
  found.fault = fault;
  found.reason = std::move(reason);
  return found;
}

}  // namespace

FoundKeys keys_in(const net::DnsAnswer& answer, PublicKeyCache* cache) {
  if (answer.temporary()) return none(Result::temperror, "the key's name: " + std::string(net::text(answer.status)));
  if (!answer.found()) return none(Result::permerror, "no key");
  FoundKeys found;
  found.authenticated = answer.authenticated;
  size_t seen = 0;
  for (const std::string& record : answer.texts()) {
    if (++seen > kMostRecords) break;
    auto key = cache != nullptr ? cache->read(record) : read_key(record);
    if (key) {
      found.keys.push_back(std::move(*key));
    } else if (found.reason.empty()) {
      found.reason = key.error();
    }
  }
  if (!found.keys.empty()) return found;
  return none(Result::permerror, found.reason.empty() ? "no key" : found.reason);
}

Task<net::DnsAnswer> SignatureKeys::ask(net::Core& core, net::Resolver& resolver, std::string name,
                                        SteadyTime deadline) {
  co_return co_await resolver.lookup(core, std::move(name), net::DnsType::txt, deadline);
}

Task<void> SignatureKeys::fetch(net::Core& core, net::Resolver& resolver, std::vector<std::string> names,
                                KeyLookup lookup) {
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  std::erase_if(names, [this](const std::string& name) { return found_.contains(name); });
  std::vector<std::string> asked;
  std::vector<Task<net::DnsAnswer>> questions;
  for (std::string& name : names) {
    if (lookups_ >= lookup.most) {
      found_.emplace(name, none(Result::permerror, "too many keys to fetch"));
      continue;
    }
    ++lookups_;
    questions.push_back(ask(core, resolver, name, lookup.deadline));
    asked.push_back(std::move(name));
  }
  if (questions.empty()) co_return;
  const auto answers = co_await when_all(std::move(questions));
  for (size_t i = 0; i < asked.size(); ++i) found_.emplace(asked[i], keys_in(answers[i], lookup.cache));
}

const FoundKeys& SignatureKeys::at(const std::string& name) const {
  const auto known = found_.find(name);
  if (known == found_.end()) throw std::logic_error("a key was not fetched");
  return known->second;
}

}  // namespace doorward::mailauth
