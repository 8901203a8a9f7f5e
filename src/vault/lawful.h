// What the policy has to say of an entry.
#pragma once

#include <optional>

#include "policy/snapshot.h"
#include "spool/mail.h"

namespace doorward::vault {

// Whether the legal mode of the recipient's domain (for outgoing mail: of its customer) is quarantine, consent
// recorded.
bool may_keep(const spool::Mail& mail, const spool::Recipient& recipient, const policy::Snapshot& snapshot);

// Where a mail to that mailbox goes that the vault does not keep, or no longer: its backend; none where the domain is
// not protected any more.
std::optional<spool::Destination> way_out(const mail::Mailbox& recipient, const policy::Snapshot& snapshot);

}  // namespace doorward::vault
