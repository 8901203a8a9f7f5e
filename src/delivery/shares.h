// What all cores know together about backends: how many connections are open, and which addresses did not answer.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "policy/settings.h"

namespace doorward::delivery {

// One backend's. Safe from any thread.
class BackendShare {
 public:
  explicit BackendShare(size_t addresses) : dead_until_(addresses) {}

  // Takes the place of one more connection, if fewer than `most` are open, and fewer than the server was found to let
  // stand: now and then one more than that, to see whether it takes it by now.
  bool try_take(unsigned most, SteadyTime now);
  // The newest connection was turned away. True: others stand, and they are all that the server takes at present.
  bool found_full(SteadyTime now);
  // The newest connection stands.
  void found_room();
  void give_back() { open_.fetch_sub(1, std::memory_order_acq_rel); }
  unsigned open() const { return open_.load(std::memory_order_acquire); }

  // Coroutines that wait for a connection. Cores that have some idle, or lent to clients that do nothing, close them.
  void add_waiter() { waiting_.fetch_add(1, std::memory_order_relaxed); }
  void remove_waiter() { waiting_.fetch_sub(1, std::memory_order_relaxed); }
  unsigned waiters() const { return waiting_.load(std::memory_order_relaxed); }

  bool is_dead(size_t address, SteadyTime now) const;
  // True when it was alive until now: worth a line in the log.
  bool set_dead(size_t address, SteadyTime now, std::chrono::milliseconds how_long);
  void set_alive(size_t address) { dead_until_[address].store(0, std::memory_order_relaxed); }

  // Whether an alarm may be logged now: one in ten seconds a backend, so that a flood of mail is no flood of alarms.
  bool may_alarm(SteadyTime now);

 private:
  std::atomic<unsigned> open_{0};
  std::atomic<unsigned> waiting_{0};
  std::atomic<unsigned> limit_{0};                // the server's own; 0: none was met
  std::atomic<int64_t> next_look_{0};             // steady nanoseconds
  std::atomic<int64_t> next_alarm_{0};            // steady nanoseconds
  std::vector<std::atomic<int64_t>> dead_until_;  // steady nanoseconds, by address
};

// One connection's place in a share; given back when it goes.
class Slot {
 public:
  Slot() = default;
  explicit Slot(std::shared_ptr<BackendShare> share) : share_(std::move(share)) {}
  Slot(Slot&& other) noexcept = default;
  Slot& operator=(Slot&& other) noexcept {
    std::swap(share_, other.share_);
    return *this;
  }
  ~Slot() {
    if (share_) share_->give_back();
  }

 private:
  std::shared_ptr<BackendShare> share_;
};

// By what identifies a backend, so that a reload of the same one goes on with the same counts.
class BackendShares {
 public:
  std::shared_ptr<BackendShare> of(const policy::Backend& backend);

 private:
  std::mutex lock_;
  std::unordered_map<std::string, std::weak_ptr<BackendShare>> by_backend_;
};

}  // namespace doorward::delivery
