// Who is told what became of a mail: notifications to senders that may have them, an alarm to the administrator where
// nobody else may be told.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/task.h"
#include "delivery/relay_attempt.h"

namespace doorward::delivery {

// What is to be told of one job, in one notification (RFC 3461 §6.1).
struct Notice {
  std::vector<DsnRecipient> told{};
  bool warns = false;  // of a delay
  bool fails = false;  // what it says of some recipient is final: it must be stored before that is
};

// Looks through what the job's recipients were answered. Those that failed and whose sender may not be told become
// stranded; of outgoing mail they just end, since it is a notification or an automatic answer, which nobody waits for.
// What the sender is to be told is in the notice.
Notice notice_of(const RelayOptions& options, const spool::Job& job, std::vector<Answered>& answers,
                 std::string_view content, SystemTime now);

}  // namespace doorward::delivery
