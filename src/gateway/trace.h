// Trace information (RFC 5321 §4.4): our own Received field, and how many a message has already.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "mail/envelope.h"
#include "mime/message.h"

namespace doorward::gateway {

// One field with CRLF, folded; `recipient` is named in it only when the mail has a single one (RFC 5321 §7.6).
std::string received_field(const mail::Client& client, const mail::Envelope& envelope, std::string_view host_name,
                           std::string_view recipient);

// More than this many Received fields mean a loop (RFC 5321 §6.3 asks for at least 100).
inline constexpr size_t kMostHops = 100;

}  // namespace doorward::gateway
