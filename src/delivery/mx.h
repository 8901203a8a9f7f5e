// Where a domain's mail goes: its MX records, or its addresses where it has none (RFC 5321 §5.1, RFC 7505).
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "mail/address.h"
#include "mail/ip.h"
#include "net/connection.h"
#include "net/resolver.h"
#include "smtp/reply.h"

namespace doorward::delivery {

enum class Families : uint8_t { v6_and_v4, v4_and_v6, v4_only, v6_only };  // of two, in turns, the first named first

struct MxOptions {
  uint16_t port = 25;
  Families families = Families::v6_and_v4;
  size_t hosts = 5, addresses_of_a_host = 5, targets = 20;  // at most; the best ones
  std::chrono::milliseconds patience{20'000};               // for all questions together

  // A mail server that lists itself, or one that its own domain sends back to, must not talk to itself: in one of these
  // a target is we. Names are compared as dns_name() writes them, addresses with their ports.
  std::vector<std::string> own_names;
  std::vector<net::Endpoint> own_endpoints;

  // Whoever owns a domain says where its mail goes. Were that taken at face value, anybody could have us open
  // connections to the inside of our network and learn from the bounces what answers there. So targets that are not
  // public (loopback, private, link-local, multicast, unspecified) are passed over, save those in these networks.
  std::vector<mail::Network> allowed;

  std::optional<uint64_t> seed;  // of the shuffling, for tests
};

struct Target {
  std::string host;  // the MX host's name (or the domain's, or the literal): for TLS, logs and Remote-MTA
  net::Endpoint endpoint;
  uint16_t preference = 0;
  bool authenticated = false;  // DNSSEC vouches for the way from the domain to this address
};

struct Routes {
  std::vector<Target> targets;  // in the order to try them; at least one
  std::chrono::seconds ttl{0};  // for how long this holds
  bool implicit = false;        // no MX record: the domain's own addresses
};

// Else why there is no way, as the bounce and the log are to say it; its code says whether to try again:
//   451 4.4.3 name servers did not answer · 550 5.1.2 no such domain, or nobody takes mail there ·
//   556 5.1.10 the domain says that it takes no mail (null MX) · 554 5.4.6 the way leads back to us
using RoutesFound = std::expected<Routes, smtp::Reply>;
Task<RoutesFound> find_routes(net::Core& core, net::Resolver& resolver, mail::Domain domain, MxOptions options);

// Whether mail may go there although anybody's DNS said so.
bool is_public(const mail::IpAddress& ip);

// The listeners' endpoints, those on all addresses replaced by one for each address that this machine has now.
std::vector<net::Endpoint> own_endpoints(const std::vector<net::Endpoint>& listeners);

}  // namespace doorward::delivery
