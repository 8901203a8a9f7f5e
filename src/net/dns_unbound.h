// Answers by libunbound: iterating or forwarding, validating. Its work is done on a thread that the library starts; a
// second one hands questions in and answers out, so that no core ever waits on the library's locks and pipes.
#pragma once

#include <memory>

#include "base/error.h"
#include "net/dns_source.h"
#include "net/resolver.h"

namespace doorward::net {

// Of the options, those of the cache and in_flight do not count.
Result<std::unique_ptr<DnsSource>> unbound_source(const ResolverOptions& options);

}  // namespace doorward::net
