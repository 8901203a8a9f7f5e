#include "trust/statistics_table.h"

#include <sys/mman.h>

#include <new>

namespace doorward::trust {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

// Zeroed memory that is taken as it is written. In huge pages where it fills some of them: each mail looks at some
// thousand places all over the table, and with small pages most of these cost a walk through the page tables besides
// (measured: 0.69 to 0.65 CPU-s a thousand mails).
void* reserve(size_t octets) {
  const size_t slack = octets >= kHugePage ? kHugePage : 0;
  void* const at =
      ::mmap(nullptr, octets + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) throw std::bad_alloc();
  if (slack == 0) return at;
  const size_t before = (kHugePage - reinterpret_cast<uintptr_t>(at) % kHugePage) % kHugePage;
  char* const aligned = static_cast<char*>(at) + before;
  if (before != 0) ::munmap(at, before);
  const size_t whole_pages = (octets + 4095) / 4096 * 4096;
  if (before != slack) ::munmap(aligned + whole_pages, slack - before);
  ::madvise(aligned, octets, MADV_HUGEPAGE);
  return aligned;
}

}  // namespace

StatisticsTable::StatisticsTable(size_t entries)
    : entries_(static_cast<std::atomic<uint64_t>*>(reserve(entries * sizeof(uint64_t)))), size_(entries) {
  static_assert(sizeof(std::atomic<uint64_t>) == sizeof(uint64_t) && std::atomic<uint64_t>::is_always_lock_free);
}

StatisticsTable::~StatisticsTable() { ::munmap(entries_, size_ * sizeof(uint64_t)); }

size_t StatisticsTable::place(uint64_t hash) {
  const uint16_t tag = tag_of(hash);
  const size_t bucket = bucket_of(hash);
  size_t victim = bucket;
  uint32_t least = UINT32_MAX;
  for (size_t at = bucket; at < bucket + kBucket; ++at) {
    const Entry entry = this->at(at);
    if (entry.tag == tag) return at;
    if (entry.tag == 0) return at;  // entries are never emptied, so none of this bucket lies behind
    if (entry.ham + entry.spam < least) {
      least = entry.ham + entry.spam;
      victim = at;
    }
  }
  for (size_t at = bucket; at < bucket + kBucket; ++at) {
    Entry entry = this->at(at);
    if (at == victim || entry.ham + entry.spam < 2) continue;
    entry.ham /= 2;
    entry.spam /= 2;
    put(at, entry.pack());
    aged_.push_back(static_cast<uint32_t>(at));
  }
  put(victim, 0);
  evicted_.fetch_add(1, std::memory_order_relaxed);
  return victim;
}

LearntTotals::LearntTotals() : rows_(static_cast<Row*>(reserve(kMostOwners * sizeof(Row)))) {}
LearntTotals::~LearntTotals() { ::munmap(rows_, kMostOwners * sizeof(Row)); }

LearntTotals::Row* LearntTotals::row_of(uint64_t owner, bool make) const {
  constexpr size_t kMostSteps = 64;
  size_t at = (owner * 0x9E3779B97F4A7C15ull) >> 32;
  for (size_t step = 0; step < kMostSteps; ++step, ++at) {
    Row& row = rows_[at % kMostOwners];
    const uint64_t holder = row.owner.load(std::memory_order_acquire);
    if (holder == owner) return &row;
    if (holder == 0) {
      if (!make) return nullptr;
      row.owner.store(owner, std::memory_order_release);
      return &row;
    }
  }
  return nullptr;
}

LearntTotals::Totals LearntTotals::of(uint64_t owner) const {
  const Row* row = owner == 0 ? &base_ : row_of(owner, false);
  if (row == nullptr) return {.owner = owner};
  return {.owner = owner,
          .ham_learnt = row->ham_learnt.load(std::memory_order_relaxed),
          .spam_learnt = row->spam_learnt.load(std::memory_order_relaxed),
          .ham_trained = row->ham_trained.load(std::memory_order_relaxed),
          .spam_trained = row->spam_trained.load(std::memory_order_relaxed)};
}

bool LearntTotals::put(const Totals& totals) {
  Row* row = totals.owner == 0 ? &base_ : row_of(totals.owner, true);
  if (row == nullptr) return false;
  row->ham_learnt.store(totals.ham_learnt, std::memory_order_relaxed);
  row->spam_learnt.store(totals.spam_learnt, std::memory_order_relaxed);
  row->ham_trained.store(totals.ham_trained, std::memory_order_relaxed);
  row->spam_trained.store(totals.spam_trained, std::memory_order_relaxed);
  return true;
}

std::vector<LearntTotals::Totals> LearntTotals::all() const {
  std::vector<Totals> found{of(0)};
  for (size_t at = 0; at < kMostOwners; ++at) {
    if (const uint64_t owner = rows_[at].owner.load(std::memory_order_acquire)) found.push_back(of(owner));
  }
  return found;
}

}  // namespace doorward::trust
