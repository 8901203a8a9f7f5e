// The queue and what empties it: spool, relay, names, known recipients. Made from the configuration by
// the node, which owns the cores and the pools.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "app/config.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/offload.h"
#include "delivery/recipient_check.h"
#include "delivery/relay.h"
#include "net/core.h"
#include "policy/snapshot.h"
#include "spool/spool.h"

namespace doorward::app {

// How senders are told what became of their mail.
delivery::NoticeStyle notice_style(const NodeConfig& config);

class Relaying {
 public:
  using Snapshots = std::function<std::shared_ptr<const policy::Snapshot>()>;

  // Opens the stores, with what a crash left in them.
  static Result<std::unique_ptr<Relaying>> open(const NodeConfig& config, const Clock& clock, Offload& offload,
                                                net::Resolver& resolver);
  ~Relaying();  // after the cores' threads have ended

  spool::Spool& spool() { return *spool_; }
  delivery::RecipientCheck& recipients() { return *recipients_; }

  // `listeners`: our own, to which no mail is to be sent back.
  void start(net::Cores& cores, const std::vector<std::shared_ptr<delivery::BackendPool>>& pools, Snapshots snapshots,
             const std::vector<net::Endpoint>& listeners);
  // Takes nothing more out of the queue; attempts under way go on until cancel().
  void stop();
  bool is_idle() const;
  void cancel();

 private:
  Relaying(const NodeConfig& config, const Clock& clock, Offload& offload, net::Resolver& resolver);
  Result<void> open_stores();
  delivery::RelayOptions options(const std::vector<net::Endpoint>& listeners) const;

  const NodeConfig& config_;
  const Clock& clock_;
  Offload& offload_;
  net::Resolver& resolver_;
  std::unique_ptr<spool::Spool> spool_;
  std::unique_ptr<delivery::RelayQueue> queue_;
  std::unique_ptr<delivery::RecipientMemory> memory_;
  std::unique_ptr<delivery::RecipientCheck> recipients_;
  std::unique_ptr<delivery::Relay> relay_;
};

}  // namespace doorward::app
