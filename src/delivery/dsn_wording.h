// What the human part says, sentence by sentence; a language is one row of each.
#pragma once

#include <array>
#include <string_view>

#include "delivery/dsn.h"

namespace doorward::delivery {

// Why, as far as the enhanced status code tells (RFC 3463 §3).
enum class Cause : uint8_t {
  no_such_address,
  no_such_domain,
  mailbox_off,
  mailbox_full,
  too_large,
  circle,
  unreachable,
  form,
  refused,
  other,
};
inline constexpr size_t kCauses = 10;

struct Advice {
  std::string_view what;   // happened
  std::string_view to_do;  // by the sender
};

struct Wording {
  std::string_view sender_name;             // ASCII
  std::array<std::string_view, 5> title;    // by action; ASCII
  std::string_view opening;                 // {0} our host, {1} when the mail came
  std::string_view about;                   // {0} its subject
  std::array<std::string_view, 5> section;  // by action
  std::string_view until;                   // {0} when trying ends
  std::string_view reply;                   // {0} the deciding reply
  std::array<Advice, kCauses> causes;
  std::array<std::string_view, 2> returned;  // the whole mail, its headers
};

extern const std::array<Wording, 3> kWordings;  // by Language

}  // namespace doorward::delivery
