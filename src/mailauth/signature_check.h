// Holds a signature against the keys of its domain: what DKIM and ARC have in common.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mailauth/result.h"
#include "mailauth/signature.h"
#include "mailauth/signature_keys.h"
#include "mailauth/signature_mail.h"

namespace doorward::mailauth {

struct Checked {
  Result result = Result::none;
  std::string reason;
  unsigned key_bits = 0;  // of the key that decided; 0: none did
  bool testing = false;   // t=y stands in its record
  bool dnssec = false;    // and DNSSEC vouches for it
};

// Whether the body is the one that was signed: pass or why not. `unsigned_octets` gets how many canonical octets l=
// leaves out.
Checked check_body(SignedMail& mail, const Signature& signature, uint64_t& unsigned_octets);

// The SHA-256 over the header fields of h= and the signing field itself (RFC 6376 §3.7).
std::string header_hash(const SignedMail& mail, const Signature& signature, size_t own);

// `hash` against `found`; passes where one of the keys fits. `check_identity`: t=s is heeded.
Checked check_value(const Signature& signature, std::string_view hash, const FoundKeys& found, bool check_identity);

}  // namespace doorward::mailauth
