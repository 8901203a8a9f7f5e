// An SPF record read to the letter of its grammar (RFC 7208 §4.5, §4.6, §12). Nothing here asks the DNS.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "mail/ip.h"
#include "mailauth/result.h"

namespace doorward::mailauth {

enum class SpfMechanism : uint8_t { all, include, a, mx, ptr, ip4, ip6, exists };

// One directive. Views are into the record's text.
struct SpfTerm {
  SpfMechanism mechanism = SpfMechanism::all;
  Result qualifier = Result::pass;  // pass, fail, softfail or neutral (RFC 7208 §4.6.2)
  std::string_view text{};          // as it stands in the record
  std::string_view domain_spec{};   // "" where none is given
  uint8_t ip4_bits = 32;            // of a and mx (RFC 7208 §5.6)
  uint8_t ip6_bits = 128;
  mail::Network network{mail::IpAddress(), 128};  // of ip4 and ip6
};

struct SpfRecord {
  std::vector<SpfTerm> terms{};
  std::string_view redirect{};     // domain-spec of redirect= (RFC 7208 §6.1); "" where there is none
  std::string_view explanation{};  // domain-spec of exp= (RFC 7208 §6.2)
};

// Whether a TXT record is one of SPF at all: "v=spf1" in any case, then a space or the end (RFC 7208 §4.5).
bool is_spf_record(std::string_view text);

// Every term is read, also behind "all": an error anywhere is one (RFC 7208 §4.6); the text of it quotes the term.
// Precondition: is_spf_record(text), and `text` outlives the record.
std::expected<SpfRecord, std::string> parse_spf_record(std::string_view text);

}  // namespace doorward::mailauth
