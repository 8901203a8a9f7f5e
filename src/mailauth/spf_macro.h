// The macros of SPF (RFC 7208 §7): their grammar, and what they expand to. Nothing here asks the DNS.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "mail/ip.h"

namespace doorward::mailauth {

// Where a text with macros stands: the letters c, r and t and blanks are for explanations alone (RFC 7208 §7.2, §6.2).
enum class SpfMacroUse : uint8_t { domain, explanation };

// A macro-string (RFC 7208 §7.1) or an explain-string (§6.2).
bool is_macro_string(std::string_view text, SpfMacroUse use);
// A domain-spec (RFC 7208 §7.1): ends in a macro, or in "." and a top-level label, perhaps with a dot behind.
bool is_domain_spec(std::string_view text);

// The letters of all macros in `text`, bit 0 for "a" and "A".
class SpfMacroLetters {
 public:
  explicit SpfMacroLetters(std::string_view text);
  bool has(char lower) const { return (bits_ >> (lower - 'a') & 1U) != 0; }

 private:
  uint32_t bits_ = 0;
};

// What the letters stand for (RFC 7208 §7.2). Views must outlive the call.
struct SpfMacroValues {
  std::string_view local;          // l; of s too
  std::string_view sender_domain;  // o; of s too
  std::string_view domain;         // d
  std::string_view helo;           // h
  std::string_view validated;      // p; "unknown" where there is none
  std::string_view receiver;       // r; "unknown" where there is none
  mail::IpAddress ip;              // i, c, v
  SystemTime now{};                // t
};

// As a name to ask for: no dot at the end, labels taken off the front until 253 octets are left (RFC 7208 §7.3). It may
// hold any octets. Precondition: is_domain_spec(spec).
std::string expand_domain(std::string_view spec, const SpfMacroValues& values);

inline constexpr size_t kMostExplanation = 450;  // octets: so that it fits a line of a reply (RFC 5321 §4.5.3.1.5)

// None where `text` is no explain-string, or what comes out is longer than kMostExplanation or not all printable ASCII
// (RFC 7208 §6.2).
std::optional<std::string> expand_explanation(std::string_view text, const SpfMacroValues& values);

}  // namespace doorward::mailauth
