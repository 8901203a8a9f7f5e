#include "net/lookup_log.h"

#include <utility>

namespace doorward::net {

Task<DnsAnswer> LookupLog::lookup(Core& core, std::string name, DnsType type, SteadyTime deadline) {
  if (is_used_up()) {
    exhausted_ = true;
    co_return dns_failure(DnsStatus::no_room);
  }
  ++asked_;
  DnsAnswer answer = co_await resolver_.lookup(core, name, type, deadline);
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
