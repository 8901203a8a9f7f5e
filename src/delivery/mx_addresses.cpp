// Which addresses mail may go to, and which are our own.
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/handle.h"
#include "delivery/mx.h"

namespace doorward::delivery {
namespace {

using mail::IpAddress;
using mail::Network;

// Of the registries of special-purpose addresses (RFC 6890) those that lead, or may lead, into somebody's own network.
// Documentation addresses are not here: nothing is behind them.
bool is_inside(const IpAddress& ip) {
  static const std::vector<Network> networks = [] {
    std::vector<Network> parsed;
    for (const char* text : {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
                             "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
                             "::/127", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"}) {
      parsed.push_back(Network::parse(text).value());
    }
    return parsed;
  }();
  return std::ranges::any_of(networks, [&](const Network& network) { return network.contains(ip); });
}

// The IPv4 address that a translator or tunnel would make of an IPv6 one: NAT64 (RFC 6052 §2.1), 6to4 (RFC 3056 §2),
// IPv4-compatible (RFC 4291 §2.5.5.1).
std::optional<IpAddress> embedded(const IpAddress& ip) {
  const auto& bytes = ip.bytes();
  const auto v4_at = [&](size_t offset) {
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; ++i) bits = bits << 8 | bytes[offset + i];
    return IpAddress::v4(bits);
  };
  static const Network nat64 = Network::parse("64:ff9b::/96").value();
  static const Network nat64_local = Network::parse("64:ff9b:1::/48").value();
  static const Network six_to_four = Network::parse("2002::/16").value();
  static const Network compatible = Network::parse("::/96").value();
  if (nat64.contains(ip) || nat64_local.contains(ip) || compatible.contains(ip)) return v4_at(12);
  if (six_to_four.contains(ip)) return v4_at(2);
  return std::nullopt;
}

std::vector<IpAddress> addresses_here() {
  ifaddrs* raw = nullptr;
  if (::getifaddrs(&raw) != 0) return {};
  const Handle<ifaddrs, ::freeifaddrs> list(raw);
  std::vector<IpAddress> addresses;
  for (const ifaddrs* entry = list.get(); entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    if (entry->ifa_addr->sa_family == AF_INET) {
      sockaddr_in v4{};
      std::memcpy(&v4, entry->ifa_addr, sizeof v4);
      addresses.push_back(IpAddress::v4(ntohl(v4.sin_addr.s_addr)));
    } else if (entry->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 v6{};
      std::memcpy(&v6, entry->ifa_addr, sizeof v6);
      std::array<uint8_t, 16> bytes{};
      std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
      addresses.push_back(IpAddress::v6(bytes));
    }
  }
  return addresses;
}

}  // namespace

bool is_public(const IpAddress& ip) {
  if (is_inside(ip)) return false;
  const auto v4 = ip.is_v4() ? std::nullopt : embedded(ip);
  return !v4 || !is_inside(*v4);
}

std::vector<net::Endpoint> own_endpoints(const std::vector<net::Endpoint>& listeners) {
  std::vector<net::Endpoint> all;
  const std::vector<IpAddress> here = addresses_here();
  for (const net::Endpoint& listener : listeners) {
    if (!listener.unix_path.empty()) continue;
    const bool v4_wildcard = listener.ip == IpAddress::v4(0);
    if (!v4_wildcard && !listener.ip.is_unspecified()) {
      all.push_back(listener);
      continue;
    }
    for (const IpAddress& ip : here) {
      if (v4_wildcard && !ip.is_v4()) continue;
      all.push_back({ip, listener.port});
    }
  }
  return all;
}

}  // namespace doorward::delivery
