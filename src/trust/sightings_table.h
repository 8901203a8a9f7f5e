// The table of sightings: which domains sent what a hash stands for, and when. 24 octets an entry, in buckets of eight:
// eight heads in one cache line, which is all that is read of what was never seen, and two lines of domain sets. Read
// without locks while one thread writes.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace doorward::trust {

// Minutes since 2020; 24 bits of them last until 2051.
using Minute = uint32_t;

// A set of domains in 64 bits: each domain is one of them. Counted linearly (Whang and others, 1990): the share of bits
// that are still 0 says how many domains there were, within about 10 % up to 100 of them, and no more than 266.
struct DomainSet {
  uint64_t bits = 0;
  static uint64_t bit_of(uint64_t domain) { return uint64_t{1} << (domain >> 58); }
  double count() const;
};

struct Row {
  static constexpr unsigned kTagBits = 26, kGenerationBits = 12, kMinuteBits = 24;
  static constexpr uint32_t kGenerations = 1u << kGenerationBits;

  uint32_t tag = 0;          // which of the hashes of the bucket; never 0 in an entry
  bool own = false;          // our own users send it: nobody's sending counts
  uint32_t generation = 0;   // of the last change, modulo kGenerations
  Minute first = 0;          // seen
  DomainSet recent, before;  // in that generation, and in the one before it

  uint64_t head() const {
    return static_cast<uint64_t>(tag) << 38 | uint64_t{own} << 36 | static_cast<uint64_t>(generation) << kMinuteBits |
           first;
  }
  static Row of(uint64_t head, uint64_t recent, uint64_t before) {
    return {.tag = static_cast<uint32_t>(head >> 38),
            .own = ((head >> 36) & 1) != 0,
            .generation = static_cast<uint32_t>(head >> kMinuteBits) & (kGenerations - 1),
            .first = static_cast<Minute>(head) & ((1u << kMinuteBits) - 1),
            .recent = {recent},
            .before = {before}};
  }
  // Generations that passed since the last change; 0 where the clock went back.
  uint32_t age(uint32_t now) const {
    const uint32_t passed = (now - generation) & (kGenerations - 1);
    return passed < kGenerations / 2 ? passed : 0;
  }
};

class SightingsTable {
 public:
  static constexpr size_t kBucket = 8;             // entries
  static constexpr size_t kCells = 3 * kBucket;    // of 8 octets, of a bucket
  static constexpr uint32_t kOwnGenerations = 45;  // that our own users' sending lasts

  // Throws std::bad_alloc when the address space cannot be had; pages are taken only when first written.
  explicit SightingsTable(size_t buckets);
  ~SightingsTable();
  SightingsTable(const SightingsTable&) = delete;
  SightingsTable& operator=(const SightingsTable&) = delete;

  size_t buckets() const { return buckets_; }
  void prefetch(uint64_t hash) const { __builtin_prefetch(&cells_[bucket_of(hash) * kCells]); }
  // A row with tag 0 where nothing is known. Any thread.
  Row find(uint64_t hash) const;

  // All below: the learning thread only.
  // Where the hash is, or is to be; what is there may be another one's that gives way: an expired one, else the one of
  // the fewest domains, else the oldest.
  size_t place(uint64_t hash, uint32_t generation);
  Row at(size_t place) const;
  void put(size_t place, const Row& row);
  uint64_t evicted() const { return evicted_.load(std::memory_order_relaxed); }
  static uint32_t tag_of(uint64_t hash) {
    const auto tag = static_cast<uint32_t>(hash) & ((1u << Row::kTagBits) - 1);
    return tag == 0 ? 1 : tag;
  }
  uint64_t cell(size_t which) const { return cells_[which].load(std::memory_order_relaxed); }
  void put_cell(size_t which, uint64_t value) { cells_[which].store(value, std::memory_order_relaxed); }

 private:
  size_t bucket_of(uint64_t hash) const { return ((hash >> 32) * buckets_) >> 32; }
  static size_t head_of(size_t place) { return place / kBucket * kCells + place % kBucket; }

  std::atomic<uint64_t>* cells_ = nullptr;
  size_t buckets_ = 0;
  std::atomic<uint64_t> evicted_ = 0;
};

}  // namespace doorward::trust
