#include "smtp/peer_rates.h"

#include <algorithm>
#include <functional>
#include <string_view>

namespace doorward::smtp {

size_t PeerRates::Hash::operator()(const std::array<uint8_t, 17>& key) const {
  return std::hash<std::string_view>()({reinterpret_cast<const char*>(key.data()), key.size()});
}

bool PeerRates::count(const mail::IpAddress& ip, unsigned prefix, unsigned most, SteadyTime now) {
  if (most == 0 || ip.is_unspecified()) return true;
  std::array<uint8_t, 17> key{};
  std::ranges::copy(ip.bytes(), key.begin());
  std::fill(key.begin() + prefix / 8, key.end(), uint8_t{0});
  key.back() = static_cast<uint8_t>(prefix);
  const auto minute = std::chrono::floor<std::chrono::minutes>(now.time_since_epoch());
  const std::lock_guard lock(lock_);
  if (minute != minute_) {
    minute_ = minute;
    counts_.clear();
  }
  const auto found = counts_.find(key);
  if (found != counts_.end()) return ++found->second <= most;
  if (counts_.size() < kMostNetworks) counts_.emplace(key, 1);
  return true;
}

}  // namespace doorward::smtp
