// What a question to the DNS brought: a status that says who failed, and the records, typed on demand.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mail/ip.h"

namespace doorward::net {

// The values are those of the wire (RFC 1035 §3.2.2, RFC 3596 §2.1, RFC 6698 §7.1).
enum class DnsType : uint16_t { a = 1, ns = 2, cname = 5, soa = 6, ptr = 12, mx = 15, txt = 16, aaaa = 28, tlsa = 52 };
std::string_view text(DnsType type);  // "aaaa"

enum class DnsStatus : uint8_t {
  found,     // there are records of this type
  no_data,   // the name exists, without such records (RFC 2308 §2.2)
  nxdomain,  // the name does not exist, or cannot (a label of 64 octets)
  servfail,  // name servers answered that they cannot answer
  timeout,   // the lookup's deadline came first
  bogus,     // DNSSEC says that the answer is forged or broken (RFC 4035 §4.3)
  no_room,   // too many lookups are in flight: ask later
};
std::string_view text(DnsStatus status);  // "nxdomain"

struct MailExchange {
  uint16_t preference = 0;
  std::string exchange;  // as names are here; "" is the null MX's "." (RFC 7505 §3)
};

struct TlsaRecord {  // RFC 6698 §2.1
  uint8_t usage = 0, selector = 0, matching = 0;
  std::string data;  // octets
};

struct StartOfAuthority {
  std::string primary, mailbox;
  uint32_t serial = 0, minimum = 0;
};

// Shared with the cache, hence never changed once it is made.
struct DnsRecords {
  DnsType type = DnsType::a;
  std::string canonical;           // the name that the records stand at, where CNAMEs led elsewhere; else empty
  std::vector<std::string> rdata;  // of each record, as on the wire, names uncompressed
};

// Names are in lower case, A-labels, without the trailing dot; octets that host names have not (dots within labels,
// blanks, backslashes …) are written \DDD (RFC 1035 §5.1). Malformed records are passed over by the typed views.
struct DnsAnswer {
  DnsStatus status = DnsStatus::servfail;
  bool authenticated = false;         // DNSSEC proved it: also the absence (RFC 4035 §4.3 "secure")
  bool cached = false;                // our own cache had it
  std::chrono::seconds ttl{0};        // what is left of it
  std::chrono::microseconds took{0};  // from the question to this answer
  std::shared_ptr<const DnsRecords> records;

  bool found() const { return status == DnsStatus::found; }
  // The name server, and not the question, is to blame: a later question may bring an answer.
  bool temporary() const { return status >= DnsStatus::servfail; }
  std::string_view canonical() const;
  std::span<const std::string> rdata() const;

  std::vector<mail::IpAddress> addresses() const;   // of A and AAAA
  std::vector<MailExchange> exchanges() const;      // of MX, as they came
  std::vector<std::string> texts() const;           // of TXT, the strings of each record joined (RFC 7208 §3.3)
  std::vector<std::string> names() const;           // of PTR, CNAME, NS
  std::vector<TlsaRecord> tlsa() const;             // of TLSA
  std::vector<StartOfAuthority> authority() const;  // of SOA
};

DnsAnswer dns_failure(DnsStatus status);  // an answer without records

// The form in which names are asked and compared: lower case, A-labels, no trailing dot. "" where no such name can be
// (an empty label, a label of 64 octets, a name of more than 253, no valid IDNA name) and for the root itself.
std::string dns_name(std::string_view name);

// "4.3.2.1.in-addr.arpa" (RFC 1035 §3.5) or the nibbles under ip6.arpa (RFC 3596 §2.5).
std::string reverse_name(const mail::IpAddress& ip);

}  // namespace doorward::net
