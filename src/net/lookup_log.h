// The questions that one mail asks of the DNS: counted against its budget, and noted with their answers and times.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "net/event.h"
#include "net/resolver.h"

namespace doorward::net {

struct LookupEntry {
  std::string name;
  DnsType type = DnsType::a;
  DnsStatus status = DnsStatus::servfail;
  bool cached = false;
  std::chrono::microseconds took{0};
};

// For one core. `resolver` must outlive the waits.
class LookupLog final : public Resolver {
 public:
  explicit LookupLog(Resolver& resolver, size_t budget) : resolver_(resolver), budget_(budget) {}

  // As the resolver's; no_room once the budget is used up. While the resolver is crowded, eight questions wait at once,
  // so that no mail, whatever name servers its sender has, keeps others from being asked about.
  Task<DnsAnswer> lookup(Core& core, std::string name, DnsType type, SteadyTime deadline) override;
  std::optional<DnsAnswer> known(std::string_view name, DnsType type) override;

  // So many questions of the budget are kept for later; 0: none are.
  void reserve(size_t questions) { reserved_ = questions; }

  const std::vector<LookupEntry>& entries() const { return entries_; }  // in the order of their ends
  bool exhausted() const { return exhausted_; }                         // a question was not asked any more

 private:
  Resolver& resolver_;
  const size_t budget_;
  bool is_used_up() const { return asked_ + reserved_ >= budget_; }
  Task<bool> turn(Core& core, SteadyTime deadline);
  void ended();
  size_t asked_ = 0, reserved_ = 0, waiting_ = 0;
  std::deque<Event*> turns_;  // of those that wait for one of the others to end
  bool exhausted_ = false;
  std::vector<LookupEntry> entries_;
};

}  // namespace doorward::net
