#include "net/lookup_log.h"

#include <utility>

namespace doorward::net {
namespace {

constexpr size_t kWhenCrowded = 8;

}  // namespace

// False: it did not come until the deadline.
Task<bool> LookupLog::turn(Core& core, SteadyTime deadline) {
  Event turn(core);
  turns_.push_back(&turn);
  const bool came = co_await turn.wait(deadline);
  if (!came) std::erase(turns_, &turn);
  co_return came;
}

void LookupLog::ended() {
  --waiting_;
  if (turns_.empty()) return;
  Event* const next = turns_.front();
  turns_.pop_front();
  next->happen();
}

Task<DnsAnswer> LookupLog::lookup(Core& core, std::string name, DnsType type, SteadyTime deadline) {
  if (is_used_up()) {
    exhausted_ = true;
    co_return dns_failure(DnsStatus::no_room);
  }
  ++asked_;
  DnsAnswer answer = dns_failure(DnsStatus::timeout);
  if (waiting_ < kWhenCrowded || !resolver_.is_crowded() || co_await turn(core, deadline)) {
    ++waiting_;
    answer = co_await resolver_.lookup(core, name, type, deadline);
    ended();
  }
  entries_.push_back({std::move(name), type, answer.status, answer.cached, answer.took});
  co_return answer;
}

std::optional<DnsAnswer> LookupLog::known(std::string_view name, DnsType type) {
  if (is_used_up()) return std::nullopt;  // lookup() says so
  auto answer = resolver_.known(name, type);
  if (!answer) return answer;
  ++asked_;
  entries_.push_back({std::string(name), type, answer->status, answer->cached, answer->took});
  return answer;
}

}  // namespace doorward::net
