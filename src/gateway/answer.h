// What the sender gets to read: our own words, an RFC 3463 code, and the mail's reference.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sheet/sheet.h"
#include "smtp/reply.h"

namespace doorward::gateway {

// For a mail that is not handed on.
smtp::Reply refusal(const sheet::GroupVerdict& verdict, std::string_view id);
// For one that was (proxy mode: the backend has it).
smtp::Reply accepted(std::string_view id);
smtp::Reply loop_detected(std::string_view id);
smtp::Reply internal_failure(std::string_view id);

// One reply for several recipients (no PRDR): theirs where they agree. Where they do not, nothing can be said to all of
// them but "try again": 451, and the caller has the client give one recipient a transaction from then on.
struct Combined {
  smtp::Reply reply;
  bool differ = false;
};
Combined combine(std::span<const smtp::Reply> replies, std::string_view id);

// Adds " [ref ID]" where the text has none.
smtp::Reply with_reference(smtp::Reply reply, std::string_view id);

}  // namespace doorward::gateway
