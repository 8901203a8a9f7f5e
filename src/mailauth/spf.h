// SPF (RFC 7208): may this client send in the name of this domain? All of it: macros, exp=, limits, the HELO identity
// and internationalised addresses (RFC 8616).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/task.h"
#include "mail/ip.h"
#include "mailauth/result.h"
#include "net/resolver.h"

namespace doorward::mailauth {

struct SpfOptions {
  SteadyTime deadline{};            // of the whole check; RFC 7208 §4.6.4 would have 20 s at least
  unsigned terms = 10;              // include, a, mx, ptr, exists, redirect that are evaluated (RFC 7208 §4.6.4)
  unsigned voids = 2;               // of them, those that may come back empty (RFC 7208 §4.6.4)
  unsigned queries = 123;           // questions in all; what the RFC's limits add up to
  bool explain = true;              // fetch exp= where the result is fail: one question more
  std::string receiver{"unknown"};  // our host's name, for %{r}
  SystemTime now{};                 // for %{t}
};

struct SpfRequest {
  mail::IpAddress ip;  // IPv4-mapped is IPv4 (RFC 7208 §5)
  std::string helo;    // as given in EHLO or HELO
  // The MAIL FROM identity: "local@domain", the local part without quotes. Empty, the null path: postmaster at the
  // HELO name (RFC 7208 §2.4). For the HELO identity (§2.3) leave it empty as well.
  std::string sender{};
};

struct SpfOutcome {
  Result result = Result::none;  // none, pass, fail, softfail, neutral, temperror or permerror
  std::string domain{};          // whose record was asked for first, A-labels: what DMARC compares
  std::string record_domain{};   // whose record decided: another one after redirect=
  std::string mechanism{};       // "-all", "include:_spf.example.net"; "default": none matched (RFC 7208 §9.1)
  std::string evidence{};        // one line: which term of which record decided, or what is wrong; ASCII, bounded
  std::string explanation{};     // of the domain's owner, a stranger's words (RFC 7208 §6.2): printable ASCII
  unsigned terms = 0;            // that counted against the limit of ten
  unsigned voids = 0;
  unsigned queries = 0;  // questions asked
  bool dns = false;      // the DNS, and not the record, is the cause of a temperror
};

// Never longer than to the deadline: then temperror. `resolver` and `core` must outlive the wait.
Task<SpfOutcome> check_spf(net::Core& core, net::Resolver& resolver, SpfRequest request, SpfOptions options);

}  // namespace doorward::mailauth
