// A table of bounded size for what is remembered by hash: 24 octets an entry, in buckets of eight. The eight heads of a
// bucket are one cache line, which is all that is read of what is not known. Read without locks while one thread
// writes; what an entry's cells mean is its owner's to say.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace doorward::trust {

// An entry. The head's highest 26 bits tell the hashes of a bucket apart and are never 0 in an entry; all else is the
// owner's.
struct Cells {
  uint64_t head = 0, second = 0, third = 0;
  bool empty() const { return head == 0; }
  bool operator==(const Cells&) const = default;
};

class KeptTable {
 public:
  static constexpr size_t kBucket = 8;           // entries
  static constexpr size_t kCells = 3 * kBucket;  // of 8 octets, of a bucket
  static constexpr unsigned kTagBits = 26, kTagShift = 64 - kTagBits;

  // Throws std::bad_alloc when the address space cannot be had; pages are taken only when first written.
  explicit KeptTable(size_t buckets);
  ~KeptTable();
  KeptTable(const KeptTable&) = delete;
  KeptTable& operator=(const KeptTable&) = delete;

  size_t buckets() const { return buckets_; }
  void prefetch(uint64_t hash) const { __builtin_prefetch(&cells_[bucket_of(hash) * kCells]); }
  // Empty where nothing is known. Any thread.
  Cells find(uint64_t hash) const;

  // All below: one thread only.
  // What of an entry is worth keeping, to be compared: 0 and 1 are nothing.
  using Worth = uint64_t (*)(const Cells& cells, uint32_t now);
  // Where the hash is, or is to be; what is there may be another one's, the least worth of the bucket, that gives way.
  size_t place(uint64_t hash, Worth worth, uint32_t now);
  Cells at(size_t place) const;
  void put(size_t place, const Cells& cells);
  uint64_t evicted() const { return evicted_.load(std::memory_order_relaxed); }  // that were worth something

  static uint64_t tag_of(uint64_t hash) {
    const uint64_t tag = hash & ((uint64_t{1} << kTagBits) - 1);
    return (tag == 0 ? 1 : tag) << kTagShift;
  }
  static bool is_same(uint64_t head, uint64_t hash) { return head >> kTagShift == tag_of(hash) >> kTagShift; }
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
