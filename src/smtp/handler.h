// What the SMTP server asks of the one who judges: the server knows grammar, sequence, limits and time; the handler
// knows tenants, filters and backends. gateway/ implements it; so do the sink and the tests.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "mail/content.h"
#include "mail/envelope.h"
#include "smtp/reply.h"

namespace doorward::net {
class Core;
class Connection;
}  // namespace doorward::net

namespace doorward::smtp {

// One session's handler; it lives as long as the session. Calls come one at a time, in protocol order.
class Handler {
 public:
  virtual ~Handler() = default;

  // The connection stands. 220 lets it in; anything else is sent and the session ended.
  virtual Task<Reply> connected(const mail::Client& client) = 0;
  // EHLO or HELO was well-formed (client.helo). 250 takes it; the server adds the extensions.
  virtual Task<Reply> hello(const mail::Client& client) = 0;
  // MAIL was well-formed; envelope.id is new, recipients are empty.
  virtual Task<Reply> mail(const mail::Client& client, const mail::Envelope& envelope) = 0;
  // RCPT was well-formed; 250 makes the server add the recipient to the envelope.
  virtual Task<Reply> rcpt(const mail::Client& client, const mail::Envelope& envelope,
                           const mail::Recipient& recipient) = 0;
  // Octets the present transaction may have; asked after each RCPT. At most the server's own limit counts.
  virtual uint64_t size_limit() const = 0;
  // The whole message is there (dot-stuffing undone, CRLF line ends, no bare CR or LF). One reply, or, where
  // envelope.prdr, one per recipient in order and a last one for all (draft-hall-prdr: 353, then each, then the final).
  virtual Task<std::vector<Reply>> data(const mail::Client& client, const mail::Envelope& envelope,
                                        mail::Content content) = 0;
  // RSET, a new EHLO, or a message that broke the protocol's rules: the transaction is gone.
  virtual Task<void> reset() = 0;
  // The session is over, however it ended.
  virtual Task<void> closed() = 0;
};

// Makes a handler for each session.
class HandlerFactory {
 public:
  virtual ~HandlerFactory() = default;
  virtual std::unique_ptr<Handler> open(net::Core& core) = 0;
};

}  // namespace doorward::smtp
