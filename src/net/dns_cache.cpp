#include "net/dns_cache.h"

#include <algorithm>

namespace doorward::net {
namespace {

using std::chrono::seconds;

constexpr size_t kOverhead = 320;  // octets of an entry's nodes and control blocks, measured on a 64-bit machine

size_t weight(std::string_view key, const DnsAnswer& answer) {
  size_t octets = kOverhead + 2 * key.size();
  if (!answer.records) return octets;
  octets += answer.records->canonical.size();
  for (const std::string& data : answer.records->rdata) octets += sizeof(std::string) + data.size();
  return octets;
}

bool is_failure(DnsStatus status) { return status == DnsStatus::servfail || status == DnsStatus::bogus; }

}  // namespace

std::string DnsCache::key_of(std::string_view name, DnsType type) {
  std::string key;
  key.reserve(name.size() + 1);
  key += static_cast<char>(type);  // all types we know fit an octet
  return key += name;
}

void DnsCache::Shard::remove(std::list<Entry>::iterator entry) {
  octets -= entry->octets;
  by_key.erase(entry->key);
  entries.erase(entry);
}

std::optional<DnsAnswer> DnsCache::find(std::string_view name, DnsType type, SteadyTime now) {
  const std::string key = key_of(name, type);
  Shard& shard = shard_of(key);
  const std::lock_guard hold(shard.lock);
  const auto found = shard.by_key.find(key);
  if (found == shard.by_key.end()) return std::nullopt;
  const auto entry = found->second;
  if (entry->until <= now) {
    // A failure stays, for the next one to know that it is not the first.
    if (!is_failure(entry->answer.status)) shard.remove(entry);
    return std::nullopt;
  }
  shard.entries.splice(shard.entries.begin(), shard.entries, entry);
  DnsAnswer answer = entry->answer;
  answer.cached = true;
  answer.ttl = std::chrono::ceil<seconds>(entry->until - now);
  return answer;
}

seconds DnsCache::lifetime(const DnsAnswer& answer, const Entry* before, SteadyTime now) const {
  switch (answer.status) {
    case DnsStatus::found:
      return std::clamp(answer.ttl, limits_.ttl_floor, limits_.ttl_ceiling);
    case DnsStatus::no_data:
    case DnsStatus::nxdomain:
      return std::clamp(answer.ttl, limits_.ttl_floor, limits_.negative_ceiling);
    case DnsStatus::servfail:
    case DnsStatus::bogus: {
      const bool again =
          before != nullptr && is_failure(before->answer.status) && now < before->until + limits_.failure_ceiling;
      return again ? std::min(2 * before->kept, limits_.failure_ceiling) : limits_.failure_floor;
    }
    case DnsStatus::timeout:
    case DnsStatus::no_room:
      break;
  }
  return seconds(0);
}

void DnsCache::store(std::string_view name, const DnsAnswer& answer, DnsType type, SteadyTime now) {
  std::string key = key_of(name, type);
  Shard& shard = shard_of(key);
  const std::lock_guard hold(shard.lock);
  const auto known = shard.by_key.find(key);
  const seconds kept = lifetime(answer, known == shard.by_key.end() ? nullptr : &*known->second, now);
  if (known != shard.by_key.end()) shard.remove(known->second);
  const size_t octets = weight(key, answer);
  if (kept.count() <= 0 || octets > limits_.octets / kShards) return;
  shard.entries.push_front(Entry{std::move(key), answer, now + kept, kept, octets});
  shard.by_key.emplace(shard.entries.front().key, shard.entries.begin());
  shard.octets += octets;
  const size_t most = std::max<size_t>(limits_.entries / kShards, 1);
  while (shard.entries.size() > most || shard.octets > limits_.octets / kShards) {
    shard.remove(std::prev(shard.entries.end()));
  }
}

size_t DnsCache::size() const {
  size_t all = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard hold(shard.lock);
    all += shard.entries.size();
  }
  return all;
}

}  // namespace doorward::net
