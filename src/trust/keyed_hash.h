// Hashes that only this gateway can make: what is remembered about people is stored under them, so that neither a copy
// of the files nor a stranger's guess says who writes to whom.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/error.h"

namespace doorward::trust {

class KeyedHash {
 public:
  KeyedHash();  // a key of its own, for what is in memory only
  // The key of that directory, made where there is none (mode 0600) unless it is only read.
  static Result<KeyedHash> open(const std::string& directory, bool read_only);

  // Of what kind of thing, whose, and its parts, of which none runs into the next.
  uint64_t of(uint8_t kind, uint64_t customer, std::initializer_list<std::string_view> parts) const;

 private:
  std::array<unsigned char, 16> key_{};  // of SipHash-2-4
};

}  // namespace doorward::trust
