// The open connections of one core to backends: opened when asked for, kept while they are of use, and never lent
// twice.
//
// Choices, with their reasons:
// - BDAT is used where CHUNKING is offered: the content goes in one write with its command, which saves the round trip
//   for 354 and the search for dots, and it cannot be smuggled through by any reading of line ends.
// - RSET for a transaction that was given up is not sent at once: it goes in one write with the next MAIL, which makes
//   it free. A connection that nobody takes for a second gets its RSET then, so that the backend holds nothing open.
// - A transaction whose client lets it wait keeps its connection only as long as nobody else needs it, and not for
// long:
//   a client may take minutes for each command (RFC 5321 §4.5.3.2), and its patience must not be the other clients'
//   loss. The transaction does not end by that; it opens another connection when its client goes on.
#pragma once

#include <boost/intrusive/list.hpp>
#include <expected>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/task.h"
#include "delivery/proxy.h"
#include "delivery/reply_map.h"
#include "delivery/shares.h"
#include "net/core.h"
#include "policy/settings.h"
#include "smtp/client.h"

namespace doorward::delivery {

// A connection that has been greeted and knows the backend's extensions.
struct BackendConnection {
  std::shared_ptr<const policy::Backend> backend;
  smtp::ClientConnection client;
  Slot slot;
  SteadyTime opened{};
  SteadyTime idle_since{};
  bool reused = false;  // served a mail before
  bool dirty = false;   // a transaction was begun and not ended: RSET before anything else

  BackendConnection(std::shared_ptr<const policy::Backend> to, smtp::ClientConnection through, Slot place,
                    SteadyTime now)
      : backend(std::move(to)), client(std::move(through)), slot(std::move(place)), opened(now) {}
};

// Why there is no connection, for those who must tell the server's refusal from its silence.
struct Trouble {
  enum class Kind : uint8_t {
    no_slot,      // the server has its most connections, by its setting or as it says itself
    unreachable,  // it does not answer, or not as a mail server
    refused,      // greeting, EHLO or STARTTLS: in these words
  } kind = Kind::unreachable;
  smtp::Reply words{0, ""};
};

// A transaction that holds a connection. While its client is awaited it rests, and the connection may be taken back.
class Borrower : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual void give_back() = 0;  // to the pool, at once
  SteadyTime resting_since{};

 protected:
  ~Borrower() = default;
};

class BackendPool : public std::enable_shared_from_this<BackendPool> {
 public:
  using Opened = std::expected<std::unique_ptr<BackendConnection>, smtp::Reply>;  // the reply is ours already

  BackendPool(net::Core& core, ProxyOptions options) : core_(core), options_(std::move(options)) {}

  // An idle connection that shows no sign of being gone, a new one, or where the backend has its most, that of the
  // transaction which has rested longest. Fresh: a reused one was found dead, so that the
  // other idle ones of this backend are not to be trusted either: they are closed, and a new one is opened.
  // A backend whose id is 0 is nobody's protected server (it was found by MX): its refusals are no alarm.
  // `trouble`, where given, outlives the call and is set when it fails.
  Task<Opened> acquire(std::shared_ptr<const policy::Backend> backend, bool fresh, SteadyTime until,
                       Trouble* trouble = nullptr);
  // Keeps it for the next mail, or closes it.
  void give_back(std::unique_ptr<BackendConnection> connection);
  // Its client is awaited from now on: until it is unlinked, the pool may have the connection given back.
  void rest(const std::shared_ptr<const policy::Backend>& backend, Borrower& borrower);
  // Tells the administrator that a backend does not let us work, in its own words.
  void alarm(const policy::Backend& backend, Fault fault, std::string_view where, const smtp::Reply& words);

  const ProxyOptions& options() const { return options_; }
  size_t idle() const;  // connections kept at present

 private:
  struct Lane {
    std::shared_ptr<const policy::Backend> backend;  // held, so that no other backend gets its place in memory
    std::shared_ptr<BackendShare> share;
    std::vector<std::unique_ptr<BackendConnection>> idle;                                   // the last used one last
    boost::intrusive::list<Borrower, boost::intrusive::constant_time_size<false>> resting;  // the longest first
    unsigned users = 0;                                                                     // coroutines in acquire()
    unsigned waiters = 0;  // of these, who wait for a connection
  };
  struct OpenFailure {
    smtp::Reply reply;
    bool dead = false;         // the address does not answer
    bool tls_failed = false;   // the handshake
    smtp::Reply words{0, ""};  // where it refused
    bool full = false;         // as a server behaves that has its most connections
  };
  using Attempt = std::expected<std::unique_ptr<BackendConnection>, OpenFailure>;

  Lane& lane(const std::shared_ptr<const policy::Backend>& backend);
  std::unique_ptr<BackendConnection> take_idle(Lane& from);
  static bool take_back(Lane& from);  // false: none rests
  Task<Opened> open(Lane& in, Slot slot, SteadyTime until, Trouble& trouble);
  Task<Attempt> open_address(Lane& in, size_t address, bool with_tls, SteadyTime until);
  Task<std::expected<void, OpenFailure>> secure(Lane& in, smtp::ClientConnection& client);
  OpenFailure refused(Lane& in, std::string_view where, const smtp::Reply& words);
  OpenFailure broken(const net::IoFailure& failure);
  void start_reaper();
  void reap(SteadyTime now);
  static Task<void> reap_until_empty(std::weak_ptr<BackendPool> pool, net::Core& core);
  static Task<void> clean(std::weak_ptr<BackendPool> pool, std::unique_ptr<BackendConnection> connection);

  net::Core& core_;
  ProxyOptions options_;
  std::unordered_map<const policy::Backend*, Lane> lanes_;  // references stay valid while others come and go
  bool reaping_ = false;
};

}  // namespace doorward::delivery
