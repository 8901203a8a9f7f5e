#include "delivery/shares.h"

#include "delivery/proxy.h"

namespace doorward::delivery {
namespace {

constexpr std::chrono::seconds kLookAgain{2};

int64_t nanoseconds(SteadyTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

bool BackendShare::try_take(unsigned most, SteadyTime now) {
  unsigned open = open_.load(std::memory_order_relaxed);
  if (const unsigned limit = limit_.load(std::memory_order_relaxed); limit != 0 && limit < most) {
    int64_t next = next_look_.load(std::memory_order_relaxed);
    const bool look = open == limit && next <= nanoseconds(now) &&
                      next_look_.compare_exchange_strong(next, nanoseconds(now + kLookAgain));
    most = limit + (look ? 1 : 0);
  }
  while (open < most)
    if (open_.compare_exchange_weak(open, open + 1, std::memory_order_acq_rel)) return true;
  return false;
}

bool BackendShare::found_full(SteadyTime now) {
  const unsigned others = open() - 1;
  if (others == 0) return false;
  limit_.store(others, std::memory_order_relaxed);
  next_look_.store(nanoseconds(now + kLookAgain), std::memory_order_relaxed);
  return true;
}

void BackendShare::found_room() {
  const unsigned standing = open();
  const unsigned limit = limit_.load(std::memory_order_relaxed);
  if (limit == 0 || standing <= limit) return;
  limit_.store(standing, std::memory_order_relaxed);
  next_look_.store(0, std::memory_order_relaxed);
}

bool BackendShare::is_dead(size_t address, SteadyTime now) const {
  return dead_until_[address].load(std::memory_order_relaxed) > nanoseconds(now);
}

bool BackendShare::set_dead(size_t address, SteadyTime now, std::chrono::milliseconds how_long) {
  const int64_t until = nanoseconds(now + how_long);
  return dead_until_[address].exchange(until, std::memory_order_relaxed) <= nanoseconds(now);
}

bool BackendShare::may_alarm(SteadyTime now) {
  int64_t next = next_alarm_.load(std::memory_order_relaxed);
  return next <= nanoseconds(now) &&
         next_alarm_.compare_exchange_strong(next, nanoseconds(now + std::chrono::seconds(10)));
}

std::shared_ptr<BackendShare> BackendShares::of(const policy::Backend& backend) {
  std::string key = std::to_string(backend.id) + ' ' + backend.name;
  for (const net::Endpoint& address : backend.addresses) key += ' ' + address.text();
  const std::scoped_lock held(lock_);
  std::weak_ptr<BackendShare>& entry = by_backend_[key];
  std::shared_ptr<BackendShare> share = entry.lock();
  if (share == nullptr) {
    std::erase_if(by_backend_, [&key](const auto& other) { return other.first != key && other.second.expired(); });
    share = std::make_shared<BackendShare>(backend.addresses.size());
    by_backend_[key] = share;
  }
  return share;
}

std::shared_ptr<BackendShares> make_backend_shares() { return std::make_shared<BackendShares>(); }

}  // namespace doorward::delivery
