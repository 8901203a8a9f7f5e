// Adds a set to the chain (RFC 8617 §5.1): what a gateway does that changed a mail, so that the next hop can know what
// it was before.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "mailauth/arc.h"
#include "mailauth/signature_signer.h"

namespace doorward::mailauth {

struct ArcSealing {
  std::string domain, selector;  // d=, s= of both signatures: A-labels
  // After "i=…; ": our id and the results, as in Authentication-Results ("mx.example; spf=pass …"); folds allowed.
  std::string results;
  SystemTime now{};                  // t=
  std::vector<std::string> names{};  // h= of the message signature; empty: the usual ones and DKIM-Signature
  bool folded = true;                // b= is broken into lines
};

// ARC-Seal, ARC-Message-Signature and ARC-Authentication-Results with their line ends, to be put above all other
// fields. `mail`: as it will be sent, but for these; `seen`: what verify_arc() said of it as it came. Fails where no
// set may be added: the chain has ended, or has fifty sets.
doorward::Result<std::string> seal_arc(SignedMail& mail, const ArcOutcome& seen, const SigningKey& key,
                                       const ArcSealing& sealing);

}  // namespace doorward::mailauth
