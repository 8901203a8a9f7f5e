// Who looks on when a mail has been judged and answered, to keep account of it.
#pragma once

#include <span>

#include "filter/facts.h"
#include "gateway/judge.h"
#include "mail/envelope.h"
#include "mime/message.h"
#include "sheet/sheet.h"

namespace doorward::gateway {

class Witness {
 public:
  virtual ~Witness() = default;

  struct Seen {
    const filter::Facts& facts;
    const mail::Client& client;
    const mail::Envelope& envelope;
    const mime::Message& message;
    const sheet::ScoreSheet& sheet;  // with the replies; its groups are those of `groups`, in order
    std::span<const Group> groups;
    SystemTime now;
  };
  // Inbound mail. On the session's core, so it must not wait; it keeps nothing of what it is shown.
  virtual void saw(const Seen& mail) = 0;
};

}  // namespace doorward::gateway
