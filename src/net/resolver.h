// Names: whoever needs the DNS asks a Resolver that was handed in, so that a test can own all names
// (tests/net/fake_resolver.h).
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/task.h"
#include "net/core.h"
#include "net/dns_answer.h"

namespace doorward::net {

class Resolver {
 public:
  virtual ~Resolver() = default;  // whoever still waits goes on, with servfail

  // Asked on `core`, goes on on `core`, at the latest at `deadline` (status timeout) or when the core stops. `name` in
  // any form that dns_name() takes; CNAMEs are followed. The core must outlive the wait; the resolver need not.
  virtual Task<DnsAnswer> lookup(Core& core, std::string name, DnsType type, SteadyTime deadline) = 0;
  // The same where the answer is at hand, without waiting: who asks much at once spares what a wait costs (some 2 µs of
  // CPU a question). None: it has to be looked up.
  virtual std::optional<DnsAnswer> known(std::string_view, DnsType) { return std::nullopt; }
  // So many questions wait for name servers that whoever asks much is to ask little at once.
  virtual bool is_crowded() const { return false; }
};

struct ResolverOptions {
  // "192.0.2.53", "192.0.2.53@5353", "2001:db8::53@53": recursive servers that are asked for everything. None, and no
  // resolv_conf either: the root servers and those they refer to are asked.
  std::vector<std::string> forwarders;
  std::string resolv_conf;  // a file as resolv.conf(5): its name servers are forwarders; empty: not read

  struct StubZone {
    std::string zone;     // this domain and all below
    std::string address;  // of an authoritative server, as above
  };
  std::vector<StubZone> stub_zones;

  struct ListZone {
    std::string zone;                  // names at and below it are asked for by datagrams, without DNSSEC
    std::vector<std::string> servers;  // of these, as above; none: of those that the zone names itself
  };
  std::vector<ListZone> list_zones;

  // DNSSEC: a file with trust anchors as DS or DNSKEY records (Debian: /usr/share/dns/root.key). Empty: nothing is
  // validated, and no answer is authenticated.
  std::string trust_anchor_file;
  std::vector<std::string> insecure_zones;  // not validated although an anchor above them says so

  size_t in_flight = 2000;         // questions that wait for name servers at once; beyond: no_room
  size_t cache_entries = 100'000;  // answers
  size_t cache_octets = 64 << 20;  // memory for them
  std::chrono::seconds ttl_floor{1}, ttl_ceiling{86'400};  // for records, whatever their TTL
  std::chrono::seconds negative_ceiling{900};  // for no_data and nxdomain, else as the SOA says (RFC 2308 §5)
  std::chrono::seconds failure_floor{5}, failure_ceiling{30};  // for servfail and bogus; doubles while it goes on
};

// The validating resolver (libunbound, on threads of its own) behind one cache, with equal questions coalesced. Fails
// where an option is malformed or a file cannot be read. Made once a process; serves all cores.
Result<std::unique_ptr<Resolver>> make_resolver(const ResolverOptions& options);

}  // namespace doorward::net
