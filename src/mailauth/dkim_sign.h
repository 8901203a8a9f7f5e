// DKIM signing (RFC 6376 §5): the field that goes on top of a mail that is sent.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.h"
#include "mailauth/signature_signer.h"

namespace doorward::mailauth {

struct DkimSigning {
  std::string domain, selector;                    // d=, s=: A-labels
  std::string identity{};                          // i=; empty: not given
  SystemTime now{};                                // t=
  std::optional<std::chrono::seconds> lifetime{};  // x= is so long after t=; none: not given
  Canonical body = Canonical::relaxed;             // the header is always relaxed
};

// "DKIM-Signature: …" with its line end, to be put above all other fields. The mail must have the line ends and the
// form in which it will be sent.
std::string sign_dkim(SignedMail& mail, const SigningKey& key, const DkimSigning& signing);

}  // namespace doorward::mailauth
