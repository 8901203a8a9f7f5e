// A DMARC policy record (RFC 9989 §4.7, §4.8), read as it asks: what is malformed or unknown falls back to the
// defaults.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace doorward::mailauth {

enum class DmarcPolicy : uint8_t { none, quarantine, reject };  // in order of strictness
std::string_view text(DmarcPolicy policy);

enum class DmarcSuffix : uint8_t { unsaid, yes, no };  // psd=u, y, n

// When failure reports are wanted (fo=).
struct DmarcFailureOptions {
  bool all_fail = true;   // "0": nothing passed and aligned
  bool any_fail = false;  // "1": something did not
  bool dkim = false;      // "d": a signature failed
  bool spf = false;       // "s": SPF failed
};

struct DmarcRecord {
  std::optional<DmarcPolicy> policy{};       // p=
  std::optional<DmarcPolicy> subdomains{};   // sp=: of names below that exist
  std::optional<DmarcPolicy> nonexistent{};  // np=: of names below that do not
  bool malformed_policy = false;             // p=, sp= or np= has a value that there is not (RFC 9989 §4.10.1)
  bool strict_dkim = false;                  // adkim=s
  bool strict_spf = false;                   // aspf=s
  bool testing = false;                      // t=y
  DmarcSuffix suffix = DmarcSuffix::unsaid;  // psd=
  std::vector<std::string> aggregate{};      // rua=: URIs of any scheme, without a size behind "!"
  std::vector<uint64_t>
      aggregate_limits{};                 // of each of those, in octets, what stood behind "!" (RFC 7489 §6.2); 0: none
  std::vector<std::string> failure{};     // ruf=
  DmarcFailureOptions failure_options{};  // as if not given where there is no ruf=
  // Unusable: the policy is missing or malformed, and nobody wants reports. RFC 9989 §4.10.1 then has DMARC not apply;
  // with an address for reports it is as if p=none stood there.
  bool usable() const { return (policy && !malformed_policy) || !aggregate.empty(); }
};

inline constexpr size_t kMostDmarcRecord = 8192;  // octets; what is behind is not read
inline constexpr size_t kMostDmarcUris = 20;      // of each kind; further ones are ignored

// None where `text` does not begin with v=DMARC1: then it is no DMARC record at all.
std::optional<DmarcRecord> parse_dmarc_record(std::string_view text);

}  // namespace doorward::mailauth
