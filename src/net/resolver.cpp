#include "net/resolver.h"

#include "net/dns_unbound.h"
#include "net/resolver_cached.h"

namespace doorward::net {

Result<std::unique_ptr<Resolver>> make_resolver(const ResolverOptions& options) {
  auto source = unbound_source(options);
  if (!source) return std::unexpected(source.error());
  return cached(std::move(*source), options);
}

}  // namespace doorward::net
