// Where a report goes: the mailto: addresses of rua=, and of those outside the domain's own organisation the ones that
// agreed to get it (RFC 9990 §4).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "mail/address.h"
#include "net/core.h"
#include "net/resolver.h"
#include "report/dmarc_observation.h"

namespace doorward::report {

struct ReportDestination {
  mail::Mailbox to;
  uint64_t limit = 0;  // octets of the mail; 0: any
};

// None: no mailto: URI (RFC 6068), or none with an address that mail can be sent to.
std::optional<mail::Mailbox> mailto_address(std::string_view uri);

struct Destinations {
  std::vector<ReportDestination> verified;
  std::vector<std::string> refused;  // of the others, "address: why"
  bool incomplete = false;           // a name server did not answer: later there may be more
};

// Ends at `deadline` at the latest. `resolver` and `core` must outlive the wait.
Task<Destinations> find_destinations(net::Core& core, net::Resolver& resolver, std::string policy_domain,
                                     std::vector<ReportAddress> addresses, SteadyTime deadline);

}  // namespace doorward::report
