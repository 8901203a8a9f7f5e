// The DNS tree walk (RFC 9989 §4.10): which DMARC records stand at a domain and above it, and which of these domains is
// the organisation's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/task.h"
#include "mailauth/dmarc_record.h"
#include "net/resolver.h"

namespace doorward::mailauth {

// The domains that a walk from `domain` asks at, first that one itself: at most eight. Views into `domain`, which is in
// the form of net::dns_name().
std::vector<std::string_view> dmarc_walk_targets(std::string_view domain);

struct DmarcFound {
  std::string domain;
  DmarcRecord record;
};

// What a walk has found so far.
struct DmarcWalk {
  std::string start{};
  bool whole = false;               // not only the start was asked at
  std::vector<DmarcFound> found{};  // from the longest name to the shortest, no further than where the walk ends
  // Where a name server did not answer before the walk came to its end.
  std::optional<net::DnsStatus> failure{};
  std::string failed_domain{};
  unsigned queries = 0;

  const DmarcFound* at(std::string_view domain) const;  // the record there; null: none
  const DmarcFound* public_suffix() const;              // the one with psd=y above the start; null: none
  // RFC 9989 §4.10.2; the start where no record says otherwise. Precondition: whole, no failure.
  std::string organizational_domain() const;
};

// Asks at `domain` alone.
Task<DmarcWalk> start_dmarc_walk(net::Core& core, net::Resolver& resolver, std::string domain, SteadyTime deadline);
// Asks at the domains above, all at once: a walk nearly always goes to its end, and each step would cost a round trip.
Task<DmarcWalk> finish_dmarc_walk(net::Core& core, net::Resolver& resolver, DmarcWalk walk, SteadyTime deadline);

}  // namespace doorward::mailauth
