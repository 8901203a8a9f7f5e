// The table of the word statistics: fixed size, open addressing in buckets of one cache line, read without locks while
// one thread writes. An entry holds all that is known of one feature in 64 bits, so that a reader never sees half a
// change.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace doorward::trust {

// What was learnt of one feature.
struct Entry {
  static constexpr uint32_t kMostCount = (1 << 14) - 1;
  static constexpr double kWeightUnit = 1.0 / (1 << 14);
  static constexpr int32_t kMostWeight = (1 << 19) - 1;  // ±32

  uint16_t tag = 0;    // which of the features of the bucket; never 0
  int32_t weight = 0;  // of the linear model, in kWeightUnit
  uint32_t ham = 0, spam = 0;

  static Entry unpack(uint64_t packed) {
    return {.tag = static_cast<uint16_t>(packed >> 48),
            .weight = static_cast<int32_t>(static_cast<uint32_t>(packed >> 16) & 0xFFFFF000u) >> 12,
            .ham = static_cast<uint32_t>(packed >> 14) & kMostCount,
            .spam = static_cast<uint32_t>(packed) & kMostCount};
  }
  uint64_t pack() const {
    return static_cast<uint64_t>(tag) << 48 | (static_cast<uint64_t>(static_cast<uint32_t>(weight)) & 0xFFFFF) << 28 |
           static_cast<uint64_t>(ham) << 14 | spam;
  }
};

class StatisticsTable {
 public:
  static constexpr size_t kBucket = 8;  // entries: 64 octets

  // `entries`: a power of two, at least kBucket. Throws std::bad_alloc when the address space cannot be had; pages are
  // taken only when first written.
  explicit StatisticsTable(size_t entries);
  ~StatisticsTable();
  StatisticsTable(const StatisticsTable&) = delete;
  StatisticsTable& operator=(const StatisticsTable&) = delete;

  size_t size() const { return size_; }
  void prefetch(uint64_t hash) const { __builtin_prefetch(&entries_[bucket_of(hash)]); }
  // An entry of all zeroes (tag 0) when nothing is known. Any thread.
  Entry find(uint64_t hash) const {
    const uint16_t tag = tag_of(hash);
    const size_t bucket = bucket_of(hash);
    for (size_t at = bucket; at < bucket + kBucket; ++at) {
      const uint64_t packed = entries_[at].load(std::memory_order_relaxed);
      if (packed >> 48 == tag) return Entry::unpack(packed);
    }
    return {};
  }
  // Where the feature is, or is to be: in a full bucket the entry that was trained least gives way, and the others lose
  // half of their counts, so that what is seen no more gives way in time. The learning thread only.
  size_t place(uint64_t hash);
  Entry at(size_t place) const { return Entry::unpack(entries_[place].load(std::memory_order_relaxed)); }
  uint64_t packed(size_t place) const { return entries_[place].load(std::memory_order_relaxed); }
  void put(size_t place, uint64_t packed) { entries_[place].store(packed, std::memory_order_relaxed); }
  static uint16_t tag_of(uint64_t hash) {
    const auto tag = static_cast<uint16_t>(hash >> 48);
    return tag == 0 ? 1 : tag;
  }
  uint64_t evicted() const { return evicted_.load(std::memory_order_relaxed); }
  // Places whose entries were changed by place(); cleared by the caller.
  std::vector<uint32_t>& aged() { return aged_; }

 private:
  size_t bucket_of(uint64_t hash) const { return (hash * kBucket) & (size_ - 1); }

  std::atomic<uint64_t>* entries_ = nullptr;
  size_t size_ = 0;
  std::atomic<uint64_t> evicted_ = 0;
  std::vector<uint32_t> aged_;
};

// What was learnt in all, by the base (owner 0) and by each customer. A fixed table too: readers take no lock.
class LearntTotals {
 public:
  struct Totals {
    uint64_t owner = 0;
    uint64_t ham_learnt = 0, spam_learnt = 0;    // mails shown
    uint64_t ham_trained = 0, spam_trained = 0;  // of these, the ones the counts were taught
  };
  static constexpr size_t kMostOwners = 1 << 15;

  LearntTotals();
  ~LearntTotals();
  LearntTotals(const LearntTotals&) = delete;
  LearntTotals& operator=(const LearntTotals&) = delete;

  Totals of(uint64_t owner) const;
  // Adds or replaces; false when there is no room for another owner. The learning thread only.
  bool put(const Totals& totals);
  std::vector<Totals> all() const;

 private:
  struct Row {
    std::atomic<uint64_t> owner, ham_learnt, spam_learnt, ham_trained, spam_trained;
  };
  Row* row_of(uint64_t owner, bool make) const;
  Row base_{};
  Row* rows_ = nullptr;  // of the customers; owner 0 is none
};

}  // namespace doorward::trust
