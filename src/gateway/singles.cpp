#include "gateway/singles.h"

#include <functional>

namespace doorward::gateway {
namespace {

uint64_t key_of(const mail::IpAddress& client, std::string_view sender) {
  const auto& bytes = client.bytes();
  const std::string_view address(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return std::hash<std::string_view>()(address) * 0x9E3779B97F4A7C15U ^ std::hash<std::string_view>()(sender);
}

}  // namespace

void Singles::add(const mail::IpAddress& client, std::string_view sender) {
  const auto now = clock_.steady();
  const std::lock_guard guard(lock_);
  if (until_.size() >= most_) {
    std::erase_if(until_, [&](const auto& entry) { return entry.second <= now; });
    if (until_.size() >= most_) until_.erase(until_.begin());
  }
  until_[key_of(client, sender)] = now + kept_;
}

bool Singles::contains(const mail::IpAddress& client, std::string_view sender) const {
  const std::lock_guard guard(lock_);
  if (until_.empty()) return false;
  const auto found = until_.find(key_of(client, sender));
  return found != until_.end() && found->second > clock_.steady();
}

}  // namespace doorward::gateway
