// Proxy delivery (B1): the backend is asked within the client's own transaction, and gets the mail only after the
// verdict.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/task.h"
#include "mail/envelope.h"
#include "policy/settings.h"
#include "smtp/reply.h"

namespace doorward::net {
class Core;
class TlsClientContext;
}  // namespace doorward::net

namespace doorward::delivery {

class BackendShares;
// What the cores share about backends: connections in all, addresses that did not answer.
std::shared_ptr<BackendShares> make_backend_shares();

// One made for the process; its copies, one a core, share `shares`.
struct ProxyOptions {
  std::string helo_name;                             // what we call ourselves to backends
  std::shared_ptr<const net::TlsClientContext> tls;  // none: no STARTTLS to backends
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::seconds idle_timeout{30};       // an unused connection is closed after this
  unsigned idle_per_backend = 20;              // connections kept a core and backend
  size_t hosts_kept = 500;                     // with more servers at hand, none is kept to one that was found by MX
  std::chrono::milliseconds slot_wait{5'000};  // for a connection when a backend has its most; then 451 4.3.2
  // A transaction whose client has been awaited for so long (after RCPT, or while it sends the content) gives its
  // connection up, at once where others need one, and asks for its recipients again when the client goes on.
  std::chrono::milliseconds client_rest{20'000};
  // For a recipient to be asked for, whatever that takes: the client waits 5 minutes (RFC 5321 §4.5.3.2.3).
  std::chrono::milliseconds ask_within{270'000};
  std::chrono::milliseconds dead_time{10'000};  // an address that did not answer is tried last for so long
  bool use_bdat = true;                         // BDAT where the backend offers CHUNKING: pool.h says why
  std::shared_ptr<BackendShares> shares = make_backend_shares();
};

class BackendPool;  // the open connections of one core, by backend: delivery/pool.h

// One client transaction's other side. All replies are ours already: the backend's texts are hidden, its classes mapped
// (DESIGN §2, Replies): 4xx and 5xx at RCPT and after the data keep their class and a whitelisted enhanced code;
// whatever else goes wrong with the backend is 451 4.3.x and an alarm in the log, never a 5xx.
class ProxyTransaction {
 public:
  ProxyTransaction(BackendPool& pool, std::shared_ptr<const policy::Backend> backend);
  ~ProxyTransaction();  // gives the connection back, after RSET where a transaction is open, or closes it

  // Asks the backend for one recipient; the first call also opens (or reuses) the connection and sends MAIL. 250: it
  // takes the recipient. 5.6.7 where SMTPUTF8 is needed and the backend lacks it, 5.7.30 likewise for REQUIRETLS.
  Task<smtp::Reply> ask(const mail::Client& client, const mail::Envelope& envelope, const mail::Recipient& recipient);

  // Hands the mail over for `recipients` (a subset of those that ask() took, by position): the open transaction is used
  // where the set is the same, else RSET and MAIL and RCPT again. `pieces` are the message with our edits, CRLF lines,
  // dots not stuffed. One reply a recipient, in order; SMTP backends give all the same. A connection that was reused
  // and turns out to be dead before the data was sent is replaced once, unseen. What the backend has not answered by
  // `until` is 451, and what has not begun by then does not begin.
  Task<std::vector<smtp::Reply>> deliver(const mail::Client& client, const mail::Envelope& envelope,
                                         std::vector<mail::Recipient> recipients, std::vector<std::string_view> pieces,
                                         SteadyTime until = SteadyTime::max());

  // The transaction is given up (RSET, refusal, the client gone).
  Task<void> abandon();

  bool is_lmtp() const;
  bool relays_dsn() const;  // the backend offers DSN; else a "relayed" DSN is ours to send where one was asked for

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Makes the pool of one core. It lives as long as the core.
std::shared_ptr<BackendPool> make_pool(net::Core& core, ProxyOptions options);

}  // namespace doorward::delivery
