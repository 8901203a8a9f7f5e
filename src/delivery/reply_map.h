// What a backend's reply becomes for the sender (DESIGN §2, Replies): our own texts, the class kept where the backend
// speaks of the recipient or the mail, 451 where it speaks of us. Pure.
#pragma once

#include <cstdint>

#include "net/connection.h"
#include "smtp/reply.h"

namespace doorward::delivery {

// What the reply answered.
enum class Stage : uint8_t {
  session,    // greeting, EHLO, STARTTLS, RSET
  mail,       // MAIL: 4xx keep their meaning, 5xx are about the gateway
  recipient,  // RCPT
  content,    // DATA, BDAT, and the last reply
};

enum class Fault : uint8_t {
  none,           // the backend spoke of the recipient or the mail, or is just busy
  misconfigured,  // it does not let the gateway do its work: an administrator must act
  nonsense,       // it does not keep to the protocol
};

struct Mapped {
  smtp::Reply reply;
  Fault fault = Fault::none;
};

// A positive reply is 250; a 421 is 451, since it is the backend that closes and not us.
Mapped map_reply(Stage stage, const smtp::Reply& backend);

// The connection failed: 451 4.4.1 where it could not be opened, 4.4.2 where it broke, 4.3.0 where no sense could be
// made of what came.
smtp::Reply map_failure(const net::IoFailure& failure, bool while_opening);

// Ours, without a backend's word.
smtp::Reply backend_misconfigured();     // 451 4.3.5
smtp::Reply backend_busy();              // 451 4.3.2
smtp::Reply no_time_left();              // 451 4.4.5
smtp::Reply smtputf8_not_supported();    // 553 5.6.7 (RFC 6531 §3.5)
smtp::Reply requiretls_not_supported();  // 550 5.7.30 (RFC 8689 §5)
smtp::Reply too_large_for_backend();     // 552 5.3.4

}  // namespace doorward::delivery
