// How often clients come: connections and mails a minute, of one address and of a network.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "base/clock.h"
#include "mail/ip.h"

namespace doorward::smtp {

// Counts in whole minutes. Bounded: of more networks a minute than it has room for, the later ones are not counted.
class PeerRates {
 public:
  static constexpr size_t kMostNetworks = 100'000;

  // One more from the client's network of that prefix (of 128 bits, also for IPv4); false where it is one too many this
  // minute. 0: any number.
  bool count(const mail::IpAddress& ip, unsigned prefix, unsigned most, SteadyTime now);

 private:
  struct Hash {
    size_t operator()(const std::array<uint8_t, 17>& key) const;
  };
  std::mutex lock_;
  std::chrono::minutes minute_{0};
  std::unordered_map<std::array<uint8_t, 17>, unsigned, Hash> counts_;  // of a network and its prefix
};

}  // namespace doorward::smtp
