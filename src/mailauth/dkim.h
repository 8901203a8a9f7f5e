// DKIM verification (RFC 6376, RFC 8301, RFC 8463): what each signature of a mail is worth.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/task.h"
#include "mailauth/result.h"
#include "mailauth/signature_mail.h"
#include "net/resolver.h"

namespace doorward::mailauth {

struct DkimOptions {
  SystemTime now{};        // for t= and x=
  SteadyTime deadline{};   // for all keys
  size_t signatures = 10;  // verified at most, those that stand above first; the rest: policy
  size_t fields = 100;     // DKIM-Signature fields looked at at all
  size_t lookups = 20;     // questions to the DNS for keys, together with ARC's where the mail object is shared
  std::chrono::seconds skew{3600};  // by which clocks may differ
  PublicKeyCache* cache = nullptr;  // of the core; none: every key is read anew (some 100 µs each)
};

struct DkimSignature {
  Result result = Result::none;
  std::string reason;              // why not pass: one line, of ours
  std::string domain, selector;    // d=, s=: lower case, A-labels; empty where they cannot be read
  std::string identity;            // i=, or "@" and d=
  std::string algorithm;           // a=, a stranger's word
  std::string value_begin;         // the first eight characters of b=, to tell signatures apart (RFC 6008)
  std::optional<uint64_t> length;  // l=
  uint64_t unsigned_octets = 0;    // of the canonical body that l= leaves to anybody
  unsigned key_bits = 0;           // 256 for Ed25519; 0: no key was read
  bool testing = false;            // t=y in the key record: the domain asks for no consequences (RFC 6376 §3.6.1)
  bool dnssec = false;             // the key is proved by DNSSEC
  std::optional<uint64_t> time, expires;  // t=, x=: seconds since 1970
  std::vector<std::string> names;  // h=, lower case; a name that stands there more often than the field is oversigned
};

struct DkimOutcome {
  std::vector<DkimSignature> signatures;  // in order from the top; none: the mail is not signed
  bool passed() const;                    // one at least
  // pass where one passes; else the best that there is, as a method's result for all (none, …)
  Result best() const;
};

// Counts the hashes of the body that this mail's signatures need, DKIM's and ARC's, so that nobody waits for them
// later: for long bodies, on another thread.
void hash_bodies(SignedMail& mail);

// `core`, `resolver` and `mail` must outlive the wait, which ends at the deadline at the latest.
Task<DkimOutcome> verify_dkim(net::Core& core, net::Resolver& resolver, SignedMail& mail, DkimOptions options);

}  // namespace doorward::mailauth
