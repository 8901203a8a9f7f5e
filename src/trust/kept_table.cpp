#include "trust/kept_table.h"

#include <sys/mman.h>

#include <new>

namespace doorward::trust {
namespace {

constexpr int kMostRetries = 4;

}  // namespace

KeptTable::KeptTable(size_t buckets) : buckets_(buckets) {
  void* at =
      ::mmap(nullptr, buckets * kCells * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) throw std::bad_alloc();
  ::madvise(at, buckets * kCells * 8, MADV_NOHUGEPAGE);
  cells_ = static_cast<std::atomic<uint64_t>*>(at);
}

KeptTable::~KeptTable() { ::munmap(cells_, buckets_ * kCells * 8); }

// The head is read before and after the rest. A writer empties it first and sets it last, so where it stayed the same
// the rest is its own.
Cells KeptTable::find(uint64_t hash) const {
  const std::atomic<uint64_t>* heads = &cells_[bucket_of(hash) * kCells];
  for (size_t entry = 0; entry < kBucket; ++entry) {
    for (int retry = 0; retry < kMostRetries; ++retry) {
      const uint64_t head = heads[entry].load(std::memory_order_acquire);
      if (!is_same(head, hash)) break;
      const uint64_t second = heads[kBucket + entry].load(std::memory_order_acquire);
      const uint64_t third = heads[2 * kBucket + entry].load(std::memory_order_acquire);
      if (heads[entry].load(std::memory_order_relaxed) == head) return {head, second, third};
    }
  }
  return {};
}

size_t KeptTable::place(uint64_t hash, Worth worth, uint32_t now) {
  const size_t first = bucket_of(hash) * kBucket;
  size_t victim = first;
  uint64_t least = UINT64_MAX;
  for (size_t place = first; place < first + kBucket; ++place) {
    const Cells cells = at(place);
    if (is_same(cells.head, hash)) return place;
    if (const uint64_t here = cells.empty() ? 0 : worth(cells, now); here < least) {
      least = here;
      victim = place;
    }
  }
  if (least > 1) evicted_.fetch_add(1, std::memory_order_relaxed);
  return victim;
}

Cells KeptTable::at(size_t place) const {
  const size_t head = head_of(place);
  return {cell(head), cell(head + kBucket), cell(head + 2 * kBucket)};
}

void KeptTable::put(size_t place, const Cells& cells) {
  const size_t head = head_of(place);
  // Release on the rest: who sees something new sees the empty head too when it looks again.
  cells_[head].store(0, std::memory_order_relaxed);
  cells_[head + kBucket].store(cells.second, std::memory_order_release);
  cells_[head + 2 * kBucket].store(cells.third, std::memory_order_release);
  cells_[head].store(cells.head, std::memory_order_release);
}

}  // namespace doorward::trust
