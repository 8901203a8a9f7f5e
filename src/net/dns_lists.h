// Zones of lists (RBL, SURBL …) are asked at their own servers by datagrams; all other questions go to another source.
// Lists must not be asked through public resolvers, which they refuse, and a mail asks many of them.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "net/connection.h"
#include "net/dns_source.h"
#include "net/dns_udp.h"

namespace doorward::net {

struct ListZone {
  std::string zone;               // in the form of dns_name(); names below it are asked for
  std::vector<Endpoint> servers;  // none: those that the zone names itself (NS)
};

struct ListZoneOptions {
  std::vector<ListZone> zones;
  DnsUdpTiming timing{};
  uint16_t port = 53;                                       // of servers that the zone names
  std::chrono::seconds least_kept{300}, most_kept{86'400};  // before a zone's servers are looked up again
  std::chrono::seconds retry{30};                           // after its servers were not found: servfail until then
};

// A, AAAA and TXT at or below a list zone, the longest that fits; whatever else is asked goes to `others`.
std::unique_ptr<DnsSource> with_list_zones(ListZoneOptions options, std::unique_ptr<DnsSource> others);

}  // namespace doorward::net
