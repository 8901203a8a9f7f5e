// The fields that sign: DKIM-Signature (RFC 6376 §3.5), ARC-Message-Signature and ARC-Seal (RFC 8617 §4.1), read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "mailauth/canonical.h"
#include "mailauth/public_key.h"
#include "mailauth/result.h"
#include "mailauth/tag_list.h"

namespace doorward::mailauth {

enum class SignatureKind : uint8_t { dkim, arc_message, arc_seal };

inline constexpr size_t kMostSignedNames = 1000;  // in h=

struct Signature {
  Result fault = Result::none;  // other than none: cannot be verified, with this result
  std::string reason;           // of the fault, one line

  std::string domain, selector;  // d= and s=, lower case, A-labels; may be empty where there is a fault
  std::string identity;          // i= of DKIM, "@d" where it is not given
  std::string algorithm_name;    // a=, as given
  Algorithm algorithm = Algorithm::rsa_sha256;
  Canonical header = Canonical::simple, body = Canonical::simple;
  std::vector<std::string_view> names;  // h=, as given: views into the field
  std::string body_hash, value;         // bh= and b=, decoded
  std::string value_text;               // b= without white space
  std::optional<uint64_t> length, time, expires;
  TagList tags;

  std::string key_name() const { return selector + "._domainkey." + domain; }
};

// `value`: what stands after the field's colon; must outlive the result.
Signature read_signature(SignatureKind kind, std::string_view value);

// What the clock says of t= and x=: a reason why the signature is not acceptable now, or nothing.
std::string_view untimely(const Signature& signature, SystemTime now, std::chrono::seconds skew);

// Appends the canonical form of a signing field with the value of b= left out and without a line end (§3.7).
void append_signing_field(std::string& out, Canonical canonical, std::string_view field, const TagList& tags,
                          size_t value_at);

// `domain` is `parent` or below it; both lower case.
bool within(std::string_view domain, std::string_view parent);

}  // namespace doorward::mailauth
