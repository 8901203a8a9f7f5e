// One-permutation min-hashing with optimal densification (Shrivastava, ICML 2017): each shingle is hashed once, the
// hash's upper half says which bin, its lower half competes for the bin's minimum. Two sets that share the fraction J
// of their union agree in about J of the bins.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace doorward::trust {

constexpr uint64_t mixed(uint64_t value) {
  value ^= value >> 32;
  value *= 0xD6E8FEB86659FD93ull;
  value ^= value >> 32;
  value *= 0xD6E8FEB86659FD93ull;
  return value ^ (value >> 32);
}

template <size_t Bins>
class Sketch {
 public:
  Sketch() { least_.fill(kNone); }
  void add(uint64_t hash) {
    const size_t bin = ((hash >> 32) * Bins) >> 32;
    const auto value = static_cast<uint32_t>(hash) & 0xFFFFFFFEu;
    if (value < least_[bin]) least_[bin] = value;
    ++added_;
  }
  size_t added() const { return added_; }  // repeats count
  // Bins that some shingle fell into: with few of them the set was small or repeated itself, and says little.
  size_t filled() const {
    size_t count = 0;
    for (const uint32_t value : least_) count += value != kNone;
    return count;
  }
  // The band's bins as one hash. Empty bins borrow from others, the same ones in every sketch.
  uint64_t band(uint64_t kind, size_t which, size_t rows) const {
    uint64_t hash = mixed(kind * 1021 + which + 1);
    for (size_t row = 0; row < rows; ++row) hash = mixed(hash + value_of(which * rows + row));
    return hash;
  }

  uint32_t bin(size_t which) const { return least_[which]; }  // UINT32_MAX where it is empty

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint64_t kMostBorrowings = 4 * Bins;

  uint64_t value_of(size_t bin) const {
    uint64_t from = bin;
    for (uint64_t attempt = 1; least_[from] == kNone; ++attempt) {
      if (attempt > kMostBorrowings) return 0;
      from = ((mixed(bin * 7919 + attempt) >> 32) * Bins) >> 32;
    }
    return least_[from];
  }

  std::array<uint32_t, Bins> least_;
  size_t added_ = 0;
};

}  // namespace doorward::trust
