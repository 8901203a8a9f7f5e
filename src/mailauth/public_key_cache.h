// Keys that were read lately, by their text in the DNS: reading an RSA key costs more than verifying with it.
#pragma once

#include <cstddef>
#include <expected>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "mailauth/public_key.h"

namespace doorward::mailauth {

struct UsableKey {
  PublicKey key;
  bool testing = false, strict = false;
};

// Not for several threads at once: one a core. Holds what was used last; about 3 kB an entry.
class PublicKeyCache {
 public:
  explicit PublicKeyCache(size_t entries = 1000) : most_(entries) {}
  // The record's key, read now or before. Only readable records are kept.
  std::expected<UsableKey, std::string_view> read(const std::string& record);
  size_t size() const { return index_.size(); }

 private:
  struct Entry {
    std::string record;
    UsableKey key;
  };
  size_t most_;
  std::list<Entry> entries_;  // the one used last in front
  std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;
};

std::expected<UsableKey, std::string_view> read_key(std::string_view record);

}  // namespace doorward::mailauth
