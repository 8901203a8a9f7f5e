// The front that all resolvers share: one cache, equal questions asked once, a bound on what is in flight, deadlines,
// and figures (doorward_dns_*).
#pragma once

#include <memory>

#include "net/dns_source.h"
#include "net/resolver.h"

namespace doorward::net {

// Of the options, those of the cache and in_flight count.
std::unique_ptr<Resolver> cached(std::unique_ptr<DnsSource> source, const ResolverOptions& options);

}  // namespace doorward::net
