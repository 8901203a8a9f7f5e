// What the sender gets to read: our own words, an RFC 3463 code, and the mail's reference.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sheet/sheet.h"
#include "smtp/reply.h"

namespace doorward::gateway {

// For a mail that is not handed on.
smtp::Reply refusal(const sheet::GroupVerdict& verdict, std::string_view id);
// For one that is put off, until it comes again after that time.
smtp::Reply put_off(std::chrono::minutes delay, std::string_view id);
// For one that was (proxy mode: the backend has it).
smtp::Reply accepted(std::string_view id);
smtp::Reply loop_detected(std::string_view id);
smtp::Reply not_stored(std::string_view id);  // the spool could not keep it
smtp::Reply internal_failure(std::string_view id);

// One reply for several recipients (no PRDR). They share settings, rule and backend, so that their replies agree by
// construction (docs/decisions/0003); should they ever not, "try again" is the only thing that is true for all.
smtp::Reply combine(std::span<const smtp::Reply> replies, std::string_view id);

// The last reply of an exchange with PRDR, after each recipient has had its own: positive where any was.
smtp::Reply closing(std::span<const smtp::Reply> replies);

// Adds " [ref ID]" where the text has none.
smtp::Reply with_reference(smtp::Reply reply, std::string_view id);

}  // namespace doorward::gateway
