// Addresses and foreign text as the fields of a message/delivery-status part have them.
#pragma once

#include <string>
#include <string_view>

#include "mail/address.h"

namespace doorward::delivery {

// "rfc822; a@b.example", or "utf-8; …" for an address beyond ASCII (RFC 6533 §3): as it is where `raw_utf8`, else with
// its characters as \x{E9}.
std::string address_field(const mail::Mailbox& mailbox, bool raw_utf8);

// The same of an ORCPT value, which is xtext (RFC 3461 §4.2). Empty where it holds what no field may have: decoded,
// xtext can be anything.
std::string original_address_field(std::string_view orcpt, bool raw_utf8);

// An ENVID value, decoded; empty where it is not printable ASCII (RFC 3461 §4.4).
std::string envelope_id_field(std::string_view envid);

// Printable ASCII of one line (or UTF-8, where it may stand), at most so many octets.
std::string one_line(std::string_view text, size_t most, bool raw_utf8);

}  // namespace doorward::delivery
