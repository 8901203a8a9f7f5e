#include "mailauth/public_key_cache.h"

#include <utility>

namespace doorward::mailauth {

std::expected<UsableKey, std::string_view> read_key(std::string_view record) {
  const auto parsed = KeyRecord::parse(record);
  if (!parsed) return std::unexpected(parsed.error());
  auto key = PublicKey::make(*parsed);
  if (!key) return std::unexpected(key.error());
  return UsableKey{std::move(*key), parsed->testing, parsed->strict};
}

std::expected<UsableKey, std::string_view> PublicKeyCache::read(const std::string& record) {
  if (const auto known = index_.find(record); known != index_.end()) {
    entries_.splice(entries_.begin(), entries_, known->second);
    return known->second->key;
  }
  auto key = read_key(record);
  if (!key || most_ == 0) return key;
  if (index_.size() >= most_) {
    index_.erase(entries_.back().record);
    entries_.pop_back();
  }
  entries_.push_front({record, *key});
  index_.emplace(entries_.front().record, entries_.begin());
  return key;
}

}  // namespace doorward::mailauth
