// What the DNS said, as long as it holds: bounded in answers and octets, the longest unused leaves first. Any thread.
#pragma once

#include <array>
#include <chrono>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "net/dns_answer.h"

namespace doorward::net {

class DnsCache {
 public:
  struct Limits {
    size_t entries, octets;
    std::chrono::seconds ttl_floor, ttl_ceiling, negative_ceiling, failure_floor, failure_ceiling;
  };
  explicit DnsCache(const Limits& limits) : limits_(limits) {}

  // With its remaining TTL; marked as cached.
  std::optional<DnsAnswer> find(std::string_view name, DnsType type, SteadyTime now);
  // For as long as its TTL and the limits say. A failure that follows another one is kept twice as long as that.
  // timeout and no_room are not kept: they say nothing of the name.
  void store(std::string_view name, const DnsAnswer& answer, DnsType type, SteadyTime now);
  size_t size() const;

 private:
  struct Entry {
    std::string key;
    DnsAnswer answer;
    SteadyTime until;
    std::chrono::seconds kept;  // for how long it was stored
    size_t octets;
  };
  // Locked one by one, so that the cores seldom meet.
  struct Shard {
    mutable std::mutex lock;
    std::list<Entry> entries;  // latest used first
    std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key;
    size_t octets = 0;
    void remove(std::list<Entry>::iterator entry);
  };
  static constexpr size_t kShards = 16;

  static std::string key_of(std::string_view name, DnsType type);
  Shard& shard_of(std::string_view key) { return shards_[std::hash<std::string_view>{}(key) % kShards]; }
  std::chrono::seconds lifetime(const DnsAnswer& answer, const Entry* before, SteadyTime now) const;

  Limits limits_;
  std::array<Shard, kShards> shards_;
};

}  // namespace doorward::net
