#include "net/resolver.h"

#include <charconv>
#include <optional>

#include "net/dns_lists.h"
#include "net/dns_unbound.h"
#include "net/resolver_cached.h"

namespace doorward::net {
namespace {

// "192.0.2.53" or "192.0.2.53@5353".
std::optional<Endpoint> name_server(std::string_view text) {
  const size_t at = text.find('@');
  const auto ip = mail::IpAddress::parse(text.substr(0, at));
  if (!ip) return std::nullopt;
  uint16_t port = 53;
  if (at != std::string_view::npos) {
    const std::string_view digits = text.substr(at + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size() || port == 0) return std::nullopt;
  }
  return Endpoint{.ip = *ip, .port = port};
}

Result<ListZoneOptions> list_zones(const ResolverOptions& options) {
  ListZoneOptions zones;
  for (const auto& each : options.list_zones) {
    ListZone zone{.zone = dns_name(each.zone), .servers = {}};
    if (zone.zone.empty()) return fail("'" + each.zone + "' is no zone", "list");
    for (const std::string& text : each.servers) {
      const auto server = name_server(text);
      if (!server) return fail("'" + text + "' is no name server: ADDRESS or ADDRESS@PORT", "list");
      zone.servers.push_back(*server);
    }
    zones.zones.push_back(std::move(zone));
  }
  return zones;
}

}  // namespace

Result<std::unique_ptr<Resolver>> make_resolver(const ResolverOptions& options) {
  auto zones = list_zones(options);
  if (!zones) return std::unexpected(zones.error());
  auto source = unbound_source(options);
  if (!source) return std::unexpected(source.error());
  if (!zones->zones.empty()) *source = with_list_zones(std::move(*zones), std::move(*source));
  return cached(std::move(*source), options);
}

}  // namespace doorward::net
