// The keys that a mail's signatures need, from the DNS, each fetched once.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/task.h"
#include "mailauth/public_key_cache.h"
#include "mailauth/result.h"
#include "net/resolver.h"

namespace doorward::mailauth {

struct FoundKeys {
  std::vector<UsableKey> keys;  // more than one where the domain has several records (RFC 6376 §3.6.2.2)
  Result fault = Result::none;  // where there are none: temperror or permerror
  std::string reason;           // of it
  bool authenticated = false;   // by DNSSEC
};

struct KeyLookup {
  SteadyTime deadline{};
  size_t most = 20;                 // questions asked for this mail in all; then permerror
  PublicKeyCache* cache = nullptr;  // of the core, or none
};

class SignatureKeys {
 public:
  // Fetches those of `names` that are not here yet, at once. This object, core and resolver must outlive the wait.
  Task<void> fetch(net::Core& core, net::Resolver& resolver, std::vector<std::string> names, KeyLookup lookup);
  const FoundKeys& at(const std::string& name) const;  // after fetch() of it
  size_t lookups() const { return lookups_; }

 private:
  static Task<net::DnsAnswer> ask(net::Core& core, net::Resolver& resolver, std::string name, SteadyTime deadline);
  std::map<std::string, FoundKeys> found_;
  size_t lookups_ = 0;
};

// The keys in an answer to a TXT question; `cache` may be null.
FoundKeys keys_in(const net::DnsAnswer& answer, PublicKeyCache* cache);

}  // namespace doorward::mailauth
