// Who has to give one recipient a transaction: clients whose recipients' answers differed after the data (DESIGN §2,
// "Several recipients, one reply"). Bounded, and forgotten after a while.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "mail/ip.h"

namespace doorward::gateway {

class Singles {
 public:
  explicit Singles(const Clock& clock, size_t most = 10'000, std::chrono::minutes kept = std::chrono::minutes(360))
      : clock_(clock), most_(most), kept_(kept) {}
  void add(const mail::IpAddress& client, std::string_view sender);
  bool contains(const mail::IpAddress& client, std::string_view sender) const;

 private:
  const Clock& clock_;
  const size_t most_;
  const std::chrono::minutes kept_;
  mutable std::mutex lock_;
  std::unordered_map<uint64_t, SteadyTime> until_;
};

}  // namespace doorward::gateway
