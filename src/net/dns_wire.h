// DNS messages (RFC 1035 §4), as far as a client needs them that asks one question a datagram for addresses and texts.
// Pure. Every octet of an answer is hostile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/dns_answer.h"

namespace doorward::net {

constexpr size_t kMostDatagram = 4096;  // octets of an answer that are looked at

// One question as it went out. `wire_name` keeps the case in which its letters were sent: an answer must repeat it,
// which a forger who sees nothing would have to guess besides id and port (RFC 5452 §9).
struct DnsQuestion {
  uint16_t id = 0;
  DnsType type = DnsType::a;
  std::string wire_name;

  // Letters become upper case where the next bit of `bits` is 1. None: no such name can be asked for.
  static std::optional<DnsQuestion> make(std::string_view name, DnsType type, uint16_t id, uint64_t bits);
  std::string message() const;
};

struct DnsReply {
  DnsAnswer answer;        // for A, AAAA and TXT; CNAMEs are followed as far as the message has them
  bool truncated = false;  // TC: there is more than fitted
  bool refused = false;    // the server does not answer us: lists do so to resolvers of too many users
};

// None: not an answer to this question, or no DNS message at all. A message that is one and cannot be understood is
// servfail.
std::optional<DnsReply> read_reply(const DnsQuestion& question, std::string_view message);

}  // namespace doorward::net
