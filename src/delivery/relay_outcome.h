// What a next hop's words mean for a mail that waits in the queue. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "delivery/reply_map.h"
#include "net/connection.h"
#include "smtp/reply.h"
#include "spool/spool.h"

namespace doorward::delivery {

enum class NextHop : uint8_t {
  backend,  // a protected server: what it refuses us is our misconfiguration, and its words stay within the house
  mx,       // anybody's server: its words are final, and the sender may read them
};

struct Meaning {
  spool::Outcome::Kind kind = spool::Outcome::Kind::retry;  // delivered, retry or failed
  smtp::Reply told{};                                       // what the sender may be told
  Fault fault = Fault::none;                                // of a backend: an administrator must act
};

Meaning meaning(NextHop hop, Stage stage, const smtp::Reply& words);
// The connection failed: always to be tried again.
Meaning meaning(const net::IoFailure& failure, bool while_opening);

// The server takes no more recipients in this transaction (RFC 5321 §4.5.3.1.10): the next one may have the rest.
// `taken`: how many it took before.
bool too_many_recipients(const smtp::Reply& words, size_t taken);

// Received fields of a message (RFC 5321 §6.3).
size_t hops(std::string_view raw);

// "550 5.1.1 No such user": one line of at most 1000 octets.
std::string one_line(const smtp::Reply& reply);

smtp::Reply runs_in_a_loop();        // 554 5.4.6
smtp::Reply delivery_expired();      // 554 5.4.7
smtp::Reply returned_by_hand();      // 554 5.3.0
smtp::Reply not_yet_delivered();     // 451 4.4.0
smtp::Reply content_not_readable();  // 451 4.3.0

}  // namespace doorward::delivery
