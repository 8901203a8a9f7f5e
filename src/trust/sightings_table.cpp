#include "trust/sightings_table.h"

#include <sys/mman.h>

#include <bit>
#include <cmath>
#include <new>

namespace doorward::trust {
namespace {

constexpr int kMostRetries = 4;

bool is_over(const Row& row, uint32_t generation) {
  return row.age(generation) > (row.own ? SightingsTable::kOwnGenerations : 1);
}

// What of it is worth keeping, to be compared: domains first, then how fresh it is.
uint64_t worth(const Row& row, uint32_t generation) {
  if (row.tag == 0) return 0;
  if (is_over(row, generation)) return 1;
  const auto domains = static_cast<uint64_t>(std::popcount(row.recent.bits | row.before.bits));
  return (row.own ? 8 : domains) * Row::kGenerations + (Row::kGenerations - row.age(generation));
}

}  // namespace

double DomainSet::count() const {
  const int empty = 64 - std::popcount(bits);
  if (empty == 64) return 0;
  // With one bit left the estimate is 266; with none all that is known is that there were as many, or more.
  return 64 * std::log(64.0 / (empty == 0 ? 1 : empty));
}

SightingsTable::SightingsTable(size_t buckets) : buckets_(buckets) {
  void* at =
      ::mmap(nullptr, buckets * kCells * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) throw std::bad_alloc();
  ::madvise(at, buckets * kCells * 8, MADV_NOHUGEPAGE);
  cells_ = static_cast<std::atomic<uint64_t>*>(at);
}

SightingsTable::~SightingsTable() { ::munmap(cells_, buckets_ * kCells * 8); }

// The head is read before and after the sets. A writer empties it first and sets it last, so where it stayed the same
// the sets are its own.
Row SightingsTable::find(uint64_t hash) const {
  const uint32_t tag = tag_of(hash);
  const std::atomic<uint64_t>* heads = &cells_[bucket_of(hash) * kCells];
  for (size_t entry = 0; entry < kBucket; ++entry) {
    for (int retry = 0; retry < kMostRetries; ++retry) {
      const uint64_t head = heads[entry].load(std::memory_order_acquire);
      if (head >> 38 != tag) break;
      const uint64_t recent = heads[kBucket + entry].load(std::memory_order_acquire);
      const uint64_t before = heads[2 * kBucket + entry].load(std::memory_order_acquire);
      if (heads[entry].load(std::memory_order_relaxed) == head) return Row::of(head, recent, before);
    }
  }
  return {};
}

size_t SightingsTable::place(uint64_t hash, uint32_t generation) {
  const uint32_t tag = tag_of(hash);
  const size_t first = bucket_of(hash) * kBucket;
  size_t victim = first;
  uint64_t least = UINT64_MAX;
  for (size_t place = first; place < first + kBucket; ++place) {
    const Row row = at(place);
    if (row.tag == tag) return place;
    if (const uint64_t here = worth(row, generation); here < least) {
      least = here;
      victim = place;
    }
  }
  if (least > 1) evicted_.fetch_add(1, std::memory_order_relaxed);
  return victim;
}

Row SightingsTable::at(size_t place) const {
  const size_t head = head_of(place);
  return Row::of(cell(head), cell(head + kBucket), cell(head + 2 * kBucket));
}

void SightingsTable::put(size_t place, const Row& row) {
  const size_t head = head_of(place);
  // Release on the sets: who sees a new set sees the empty head too when it looks again.
  cells_[head].store(0, std::memory_order_relaxed);
  cells_[head + kBucket].store(row.recent.bits, std::memory_order_release);
  cells_[head + 2 * kBucket].store(row.before.bits, std::memory_order_release);
  cells_[head].store(row.head(), std::memory_order_release);
}

}  // namespace doorward::trust
