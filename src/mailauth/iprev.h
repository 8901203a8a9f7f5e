// The name of a client's address, confirmed by the name's own addresses (RFC 8601 §3).
#pragma once

#include <string>

#include "base/clock.h"
#include "base/task.h"
#include "mail/ip.h"
#include "mailauth/result.h"
#include "net/resolver.h"

namespace doorward::mailauth {

struct IprevOutcome {
  // pass; fail: no name leads back; permerror: the address has no name; temperror: the DNS did not say; none: not
  // asked.
  Result result = Result::none;
  std::string name{};  // the confirmed one; of a fail, the first that the address has
};

inline constexpr size_t kMostReverseNames = 5;  // that are looked at: an address may have as many as its owner likes

// Never longer than to the deadline. `resolver` and `core` must outlive the wait.
Task<IprevOutcome> check_iprev(net::Core& core, net::Resolver& resolver, mail::IpAddress ip, SteadyTime deadline);

}  // namespace doorward::mailauth
