// One core's share of the relay's work.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "delivery/relay.h"
#include "delivery/relay_attempt.h"
#include "delivery/relay_hosts.h"

namespace doorward::delivery {

// What the cores share. Coroutines that outlive everything else hold it.
struct Relay::Shared {
  RelayOptions options;
  RelayParts parts;
  std::vector<std::shared_ptr<RelayWorker>> workers{};  // by seat
  std::atomic<bool> stopping{false};
  std::atomic<size_t> next{0};  // who is woken next

  Shared(RelayOptions o, RelayParts p) : options(std::move(o)), parts(std::move(p)) {}
  void wake(const net::Core* core);  // none: any
};

class RelayWorker : public std::enable_shared_from_this<RelayWorker> {
 public:
  RelayWorker(RelaySeat seat, const RelayOptions& options)
      : seat_(std::move(seat)), hosts_(options.reply_timeout, options.mx_connections) {}

  void join(std::weak_ptr<Relay::Shared> shared, size_t index);
  net::Core& core() { return *seat_.core; }
  void poke();  // from any thread: look what is due
  void cancel_all();
  size_t running() const { return running_.load(std::memory_order_relaxed); }
  size_t looking() const { return looking_.load(std::memory_order_relaxed); }  // of these, who have no host yet

 private:
  void pump();
  static Task<void> work(std::shared_ptr<RelayWorker> self, std::shared_ptr<Relay::Shared> shared, spool::Job job);
  static Task<void> attempt(RelayWorker& self, Relay::Shared& shared, const spool::Job& job, bool& reported);
  static Task<bool> tell(RelayWorker& self, Relay::Shared& shared, const spool::Job& job, RelayAttempt& attempt);

  RelaySeat seat_;
  RelayHosts hosts_;
  std::weak_ptr<Relay::Shared> shared_;
  size_t index_ = 0;
  std::atomic<bool> poked_{false};
  std::atomic<size_t> running_{0}, looking_{0};
  bool pumping_ = false;
  boost::intrusive::list<RelayAttempt, boost::intrusive::constant_time_size<false>> attempts_;
};

}  // namespace doorward::delivery
