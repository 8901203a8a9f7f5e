// Address lists of header fields (RFC 5322 §3.4, §4.4): From, To, Sender, Reply-To and the like, read as leniently as
// mail clients read them. Bounded by the caller's text and by kMaxHeaderAddresses.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mail/address.h"

namespace doorward::mail {

inline constexpr size_t kMaxHeaderAddresses = 1000;     // more are counted as truncated
inline constexpr size_t kMaxAddressHeader = 256 << 10;  // octets of one field that are looked at

struct HeaderAddress {
  std::string display_name{};  // without quotes, white space folded to single spaces; RFC 2047 words still encoded
  std::string address{};       // as written, without comments and white space: also where it is no valid mailbox
  std::optional<Mailbox> mailbox{};  // where the address is one
  std::string comment{};             // "a@b.example (Name)": the text of the last comment beside it
};

struct HeaderAddressList {
  std::vector<HeaderAddress> addresses{};
  bool malformed = false;  // something had to be guessed or skipped
  bool group = false;      // there was a group ("undisclosed-recipients:;")
  bool truncated = false;  // there was more than the bounds allow
};

// `value`: the field's body, folded or not.
HeaderAddressList parse_address_list(std::string_view value);

}  // namespace doorward::mail
