// What the vault keeps: one entry for each recipient of a mail that was not delivered but kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "mail/envelope.h"
#include "sheet/verdict.h"

namespace doorward::vault {

enum class State : uint8_t {
  kept,
  releasing,  // marked, and not yet known to be in the queue: a crash leaves it so, and the next start goes on
  released,   // in the queue; its content stays until it expires
  deleted,    // its key is gone, and with it the content
  expired,    // likewise, by the time limit
};
std::string_view name(State state);
std::optional<State> state_of(std::string_view name);

struct Entry {
  std::string id;                     // its own, a ULID
  std::string mail;                   // the mail's: the reference in logs, replies and score sheets
  uint64_t customer = 0, domain = 0;  // tenants, as the policy numbers them
  std::string recipient;              // as the backend is to get it
  sheet::Class klass = sheet::Class::spam;
  std::string reason;  // why it is here, one short sentence
  std::string sender;  // the reverse path; empty: the null one
  std::string subject;
  std::string client_ip;
  mail::Body body = mail::Body::seven_bit;
  bool smtputf8 = false, require_tls = false;
  uint64_t size = 0;  // octets of the content
  SystemTime received{}, expires{};
  SystemTime ended{};  // when it was released, deleted or expired
  State state = State::kept;
  unsigned releases = 0;  // how often it was handed to the queue: more than 1 only after a crash
};

// For lists; an empty member matches everything.
struct Filter {
  std::optional<uint64_t> customer{};
  std::string domain{};               // of the recipient, its key
  std::string recipient{}, sender{};  // wildcards
  std::string subject{};              // a part of it, ASCII letters in any case
  std::string mail{};                 // the mail's id
  std::optional<sheet::Class> klass{};
  std::optional<State> state{};  // none: kept ones and those under release
  std::optional<SystemTime> since{}, until{};
};

}  // namespace doorward::vault
