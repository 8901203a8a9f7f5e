// Domain names: their ASCII form, and the grammar of names and address literals (RFC 5321 §4.1.2, §4.1.3; RFC 6531
// §3.3).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mail/address.h"

namespace doorward::mail {

inline constexpr size_t kMaxDomain = 255;  // octets (RFC 5321 §4.5.3.1.2)
inline constexpr size_t kMaxLabel = 63;    // octets, as an A-label (RFC 1035 §2.3.4)

// Lower case, A-labels by UTS #46 (non-transitional, as RFC 5891 has it); none where the name cannot be encoded.
// ASCII names are lower-cased and nothing more.
std::optional<std::string> to_ascii(std::string_view name);

// Takes a domain or an address literal off the front of `text`.
Parsed<Domain> take_domain(std::string_view& text, Utf8 utf8);

}  // namespace doorward::mail
