// What the sender of inbound mail is told, beyond the replies: who may be told at all, and the "relayed" notification
// of proxy mode.
#pragma once

#include <string_view>
#include <vector>

#include "gateway/gateway.h"
#include "gateway/recipient.h"

namespace doorward::gateway {

// Whether a notice about this recipient is no backscatter (DESIGN §2): its sender is a customer's own server, or is
// proven (filter/proven_sender.h).
bool may_be_told(const Taken& taken, const filter::Facts& facts, const mail::Client& client,
                 const mail::ReversePath& sender);

// RFC 3461 §5.2.2 (c): those of `recipients`, which the backend has accepted without knowing DSN, that asked for
// NOTIFY=SUCCESS: their sender gets a "relayed" notification over the queue, where it may be told. A notification that
// cannot be stored is logged: the mail itself is delivered, and no reply may say otherwise.
Task<void> tell_relayed(Gateway& gateway, net::Core& core, const filter::Facts& facts, const mail::Client& client,
                        const mail::Envelope& envelope, const policy::Snapshot& snapshot,
                        std::vector<const Taken*> recipients, std::string_view content);

}  // namespace doorward::gateway
