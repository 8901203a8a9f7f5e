// One RCPT: whose it is, what the actions of the recipient phase make of it, and which rule it falls under.
#pragma once

#include <expected>

#include "gateway/judge.h"
#include "mail/envelope.h"
#include "policy/snapshot.h"
#include "smtp/reply.h"

namespace doorward::gateway {

struct Taken {
  sheet::Direction direction = sheet::Direction::inbound;
  std::shared_ptr<const policy::Settings> settings;
  const policy::Rule* rule = nullptr;
  mail::Recipient given;    // as the client wrote it
  mail::Recipient forward;  // as the backend gets it: aliases, rewriting and the secret suffix done
  bool unfiltered = false;
  bool never_refused = false;
  bool listed = false;  // known without asking the backend
  bool caught = false;  // by the domain's catch-all mailbox

  Group group() const;
  // Kept here and delivered later; else its backend answers within the client's transaction.
  bool is_relayed() const {
    return direction == sheet::Direction::outbound || settings->delivery == policy::DeliveryMode::relay;
  }
  // To be named to others than the sender and the tenant: as the client wrote it, but never with the secret suffix.
  const mail::Mailbox& named() const { return unfiltered ? forward.mailbox : given.mailbox; }
};

// The recipient with its settings, or the reply that refuses it. Never an open relay: only domains of tenants are
// taken, and of unlisted local parts none that asks to be sent on (user%other@ours, other!user@ours,
// "user@other"@ours); other domains from the relay networks of a customer alone.
std::expected<Taken, smtp::Reply> take_recipient(const policy::Snapshot& snapshot, const mail::Client& client,
                                                 const mail::Envelope& envelope, const mail::Recipient& recipient,
                                                 SystemTime now);

// Whether both fall into one group: the same verdict, the same message.
bool decide_alike(const Taken& one, const Taken& other);

// Whether both can be answered by one reply after the data (DESIGN §2). With PRDR each has its own; only the backend
// must be the same, and the size limit, which is checked before anybody answers for himself. What is relayed needs no
// common backend, and no common settings either where neither can be refused after the data.
bool go_together(const Taken& first, const Taken& next, bool prdr);

}  // namespace doorward::gateway
