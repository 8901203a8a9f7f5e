// The grammar of SMTP commands (RFC 5321 §4.1) and of the parameters that extensions add to MAIL and RCPT. Errors come
// back as the reply that the peer gets. Views returned point into the line given.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "mail/address.h"
#include "mail/envelope.h"
#include "mail/ip.h"
#include "smtp/reply.h"

namespace doorward::smtp {

enum class Verb : uint8_t {
  ehlo,
  helo,
  lhlo,
  mail,
  rcpt,
  data,
  bdat,
  rset,
  noop,
  quit,
  vrfy,
  expn,
  help,
  starttls,
  auth,
  xclient,
  unknown
};

struct CommandLine {
  Verb verb = Verb::unknown;
  std::string_view argument;  // without white space at either end
};
// The line comes without its CRLF. Verbs are known in any case (RFC 5321 §2.4).
CommandLine split_command(std::string_view line_without_crlf);

// What this server announced after EHLO; the parameters of the rest are unknown to it.
struct Offered {
  bool smtputf8 = true, dsn = true, requiretls = true, size = true, eight_bit_mime = true, prdr = true, chunking = true;
  uint64_t size_limit = 0;  // octets; 0: none
};

struct MailCommand {
  mail::ReversePath path{};
  mail::Body body = mail::Body::seven_bit;
  std::optional<uint64_t> size{};  // SIZE=, octets; figures beyond 64 bits are kept as the largest
  bool smtputf8 = false, require_tls = false, prdr = false;
  mail::DsnReturn ret = mail::DsnReturn::none;
  std::string envid{};  // as given: xtext (RFC 3461 §4.4)
  bool odd = false;     // a space after the colon, which RFC 5321 §3.3 forbids and clients send nevertheless
};
// The argument of MAIL, from "FROM:" on.
std::expected<MailCommand, Reply> parse_mail(std::string_view argument, const Offered& offered);

struct RcptCommand {
  mail::Recipient recipient{};
  bool odd = false;  // as above
};
// The argument of RCPT, from "TO:" on. `smtputf8_transaction`: MAIL had SMTPUTF8.
std::expected<RcptCommand, Reply> parse_rcpt(std::string_view argument, const Offered& offered,
                                             bool smtputf8_transaction);

// The size of the chunk in octets, and whether it is the last (RFC 3030 §2).
std::expected<std::pair<uint64_t, bool>, Reply> parse_bdat(std::string_view argument);

// The name after EHLO or HELO: a domain or address literal, as liberally as practice has it: underscores, bare IP
// addresses and a last dot pass; white space, controls and other signs do not.
std::expected<std::string, Reply> parse_hello(std::string_view argument, bool ehlo);

// XCLIENT, a trusted proxy's word on its own client (www.postfix.org/XCLIENT_README.html); values are decoded.
// What was not given has no value; what was given as [UNAVAILABLE] or [TEMPUNAVAIL] is empty ("", "::", 0).
struct XclientCommand {
  std::optional<std::string> name{}, helo{}, login{};
  std::optional<mail::IpAddress> address{}, destination_address{};
  std::optional<uint16_t> port{}, destination_port{};
  std::optional<bool> esmtp{};          // PROTO
  bool name_temporary_failure = false;  // NAME=[TEMPUNAVAIL]: the PTR look-up failed for now
};
std::expected<XclientCommand, Reply> parse_xclient(std::string_view argument);

}  // namespace doorward::smtp
