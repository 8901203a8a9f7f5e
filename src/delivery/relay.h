// Relay delivery: takes what is due out of the queue and brings it to its next hop, one coroutine an attempt; nothing
// leaves the queue before its next hop has it, its sender knows, or an administrator may act.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/offload.h"
#include "delivery/mx.h"
#include "delivery/notice_mail.h"
#include "delivery/proxy.h"
#include "delivery/relay_queue.h"
#include "net/core.h"
#include "net/resolver.h"
#include "policy/snapshot.h"

namespace doorward::delivery {

struct RelayOptions {
  NoticeStyle notice{};
  MxOptions mx{};
  unsigned attempts_per_core = 2'000;  // at once; a content is held only by those that have a connection
  // For each reply; for the last one twice that (RFC 5321 §4.5.3.2: 5 and 10 minutes).
  std::chrono::seconds reply_timeout{310};
  std::chrono::milliseconds slot_wait{60'000};   // for a connection when the next hop has its most
  unsigned mx_connections = 20;                  // to one MX host, all cores together
  std::chrono::seconds warn_after{4 * 3600};     // a sender is told of a delay after this
  std::chrono::seconds lifetime{7 * 24 * 3600};  // the spool's, to tell it in that notice
  size_t most_hops = 100;                        // Received fields; more mean a loop (RFC 5321 §6.3)
  NotifyDefaults notify{};
};

// What is handed in; all outlive the cores' threads.
struct RelayParts {
  RelayQueue& queue;
  const Clock& clock;
  Offload& offload;                                                   // reads of the spool
  net::Resolver* resolver = nullptr;                                  // none: mail for MX destinations waits
  std::function<std::shared_ptr<const policy::Snapshot>()> snapshot;  // the present one; from any core
};

// One core's place.
struct RelaySeat {
  net::Core* core = nullptr;
  std::shared_ptr<BackendPool> pool;
};

class RelayWorker;

class Relay {
 public:
  Relay(RelayOptions options, RelayParts parts, std::vector<RelaySeat> seats);
  ~Relay();  // after the cores' threads have ended, or after stop() when nothing runs any more

  // The queue wakes it from now on; before anything is committed. A mail's first attempt starts on the core that took
  // it, where memory is warm; the others help when there is much.
  void start();
  // Takes no more; attempts that have a connection go on, others end as cancel() ends them. From any thread.
  void stop();
  size_t running() const;  // attempts under way
  bool is_idle() const;    // none of them has more than a name or an address to wait for
  // Ends them: connections are closed, and what has no answer stays in the queue as if it had not been tried.
  void cancel();

 private:
  friend class RelayWorker;
  struct Shared;
  std::shared_ptr<Shared> shared_;
  static Task<void> keep_time(std::shared_ptr<Shared> shared, net::Core& core);
};

}  // namespace doorward::delivery
