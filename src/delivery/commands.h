// MAIL and RCPT as a backend gets them: with the parameters that it offers, and no others (RFC 5321 §2.2.1).
#pragma once

#include <optional>
#include <string>

#include "mail/envelope.h"
#include "smtp/client.h"
#include "smtp/reply.h"

namespace doorward::delivery {

std::string mail_command(const mail::Envelope& envelope, const smtp::Extensions& offered);
std::string rcpt_command(const mail::Recipient& recipient, const smtp::Extensions& offered);

// What the mail needs and the backend cannot give: the reply to the sender. `secured`: the connection is under TLS.
std::optional<smtp::Reply> unsupported(const mail::Envelope& envelope, const mail::Recipient* recipient,
                                       const smtp::Extensions& offered, bool secured);

}  // namespace doorward::delivery
