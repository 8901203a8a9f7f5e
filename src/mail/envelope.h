// The envelope of one transaction, and who handed it in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "mail/address.h"
#include "mail/ip.h"

namespace doorward::mail {

// The SMTP client at the other end, as far as it is known.
struct Client {
  std::string session_id;
  IpAddress ip;
  uint16_t port = 0;
  std::string reverse_name;  // forward-confirmed PTR name; empty if none or not asked
  std::string helo;          // as given in EHLO or HELO
  bool esmtp = false;        // EHLO
  bool tls = false;
  std::string tls_version;  // "TLSv1.3"
  std::string tls_cipher;
  std::string listener;  // the name of the listener in doorward.toml
};

// NOTIFY= of RFC 3461 §4.1.
struct Notify {
  bool given = false;
  bool never = false, success = false, failure = false, delay = false;
};

struct Recipient {
  Mailbox mailbox;
  Notify notify{};
  std::string orcpt{};  // ORCPT= as given (RFC 3461 §4.2), still xtext; empty if none
};

enum class Body { seven_bit, eight_bit_mime, binary_mime };
enum class DsnReturn { none, full, headers };

struct Envelope {
  std::string id;  // the mail's id (a ULID), new for each MAIL
  SystemTime received_at{};
  ReversePath from;
  std::vector<Recipient> recipients;  // those that were accepted, in order
  Body body = Body::seven_bit;
  bool smtputf8 = false;
  bool require_tls = false;               // RFC 8689
  std::optional<uint64_t> declared_size;  // SIZE=, octets
  DsnReturn ret = DsnReturn::none;
  std::string envid;  // as given, still xtext
  bool prdr = false;  // the client asked for one reply a recipient
};

}  // namespace doorward::mail
