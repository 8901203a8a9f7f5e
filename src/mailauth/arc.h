// Validation of the Authenticated Received Chain (RFC 8617 §5.2): who had the mail before and says what of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/task.h"
#include "mailauth/result.h"
#include "mailauth/signature_mail.h"
#include "net/resolver.h"

namespace doorward::mailauth {

struct ArcOptions {
  SystemTime now{};                 // for x= of message signatures
  SteadyTime deadline{};            // for all keys
  size_t lookups = 60;              // questions to the DNS, together with DKIM's where the mail object is shared
  std::chrono::seconds skew{3600};  // by which clocks may differ
  bool oldest_pass = true;          // also check the message signatures below the highest
  PublicKeyCache* cache = nullptr;  // of the core, or none
};

struct ArcSealer {
  std::string domain, selector;  // of ARC-Seal
  std::string message_domain;    // of ARC-Message-Signature, mostly the same
  std::optional<uint64_t> time;  // t= of ARC-Seal: seconds since 1970
  std::string_view results;      // its ARC-Authentication-Results after "i=…;", a view into the mail
};

struct ArcOutcome {
  Result cv = Result::none;        // none, pass or fail
  std::string reason;              // of a fail: one line
  bool temporary = false;          // a name server is to blame for the fail
  bool ended = false;              // an earlier hop sealed cv=fail: nobody adds a set any more (§5.1)
  unsigned instances = 0;          // the highest instance number
  unsigned oldest_pass = 0;        // §5.2 step 5; 0: the mail is as the first sealer had it. Of pass alone
  std::vector<ArcSealer> sealers;  // [0] is instance 1; also of a chain that fails, where it has its form
};

// `core`, `resolver` and `mail` must outlive the wait, which ends at the deadline at the latest.
Task<ArcOutcome> verify_arc(net::Core& core, net::Resolver& resolver, SignedMail& mail, ArcOptions options);

}  // namespace doorward::mailauth
