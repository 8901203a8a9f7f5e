// Winning back the journal's space: what still lives in its oldest segment is written anew, and the segment dropped.
#include <utility>

#include "base/log.h"
#include "spool/state.h"

namespace doorward::spool {
namespace {

constexpr std::chrono::milliseconds kLook{200};  // between two looks at the journal
constexpr uint32_t kChunk = 20'000;              // entries looked at under one hold of the lock
// Written anew before the cleaner waits for it to be durable: so much stands in memory, and in the way of new mail.
constexpr size_t kMailsAtOnce = 64;
constexpr uint64_t kOctetsAtOnce = uint64_t{4} << 20;
constexpr std::chrono::milliseconds kLongestRest{250};

}  // namespace

void Spool::State::clean() {
  for (;;) {
    {
      std::unique_lock held_lock(lock);
      if (cleaner_wakes.wait_for(held_lock, kLook, [this] { return stopping; })) return;
    }
    save_again();
    while (const auto segment = journal->to_clean()) {
      clean_segment(*segment);
      const std::lock_guard guard(lock);
      if (stopping) return;
    }
  }
}

// What the disk did not take, once it takes something again.
void Spool::State::save_again() {
  const std::lock_guard guard(lock);
  if (unsaved.empty() || !journal->has_room(0)) return;
  for (const Key& key : std::exchange(unsaved, {})) {
    const uint32_t slot = table.slot_of(key);
    if (slot == Table::kNone) {
      write_done(key);
    } else {
      save_progress(slot);
    }
  }
}

void Spool::State::clean_segment(uint64_t segment) {
  for (uint32_t begin = 0; !journal->is_empty(segment); begin += kChunk) {
    std::vector<Key> living;
    {
      const std::lock_guard guard(lock);
      if (stopping || begin >= table.slots()) break;
      for (uint32_t slot = begin; slot < std::min(begin + kChunk, table.slots()); ++slot) {
        const Entry& entry = table.at(slot);
        if (entry.serial != 0 && (entry.mail.segment == segment || entry.progress.segment == segment)) {
          living.push_back(entry.key);
        }
      }
    }
    auto begun = std::chrono::steady_clock::now();
    size_t mails = 0;
    uint64_t octets = 0;
    for (const Key& key : living) {
      octets += move(key, segment);
      if (++mails < kMailsAtOnce && octets < kOctetsAtOnce) continue;
      journal->flush();
      rest(std::chrono::steady_clock::now() - begun);
      begun = std::chrono::steady_clock::now();
      mails = octets = 0;
    }
  }
  journal->flush();
  if (journal->is_empty(segment)) {
    const auto dropped = journal->drop(segment);
    if (dropped) return;
    log::error("spool.segment_not_dropped", {{"error", dropped.error().text()}});
  }
  // Something could not be read, written or removed: it stays where it is, and is tried again later.
  std::unique_lock held_lock(lock);
  cleaner_wakes.wait_for(held_lock, std::chrono::seconds(10), [this] { return stopping; });
}

// As long as the work took, so that half of the disk's time is always left to reception; not where room is short, when
// nothing is received anyway.
void Spool::State::rest(SteadyTime::duration after) {
  std::unique_lock held_lock(lock);
  if (!journal->has_room(0)) return;
  cleaner_wakes.wait_for(held_lock, std::min<SteadyTime::duration>(after, kLongestRest), [this] { return stopping; });
}

// The octets that were written anew.
uint64_t Spool::State::move(const Key& key, uint64_t out_of) {
  journal::Place mail;
  {
    const std::lock_guard guard(lock);
    const Entry* entry = table.find(key);
    if (entry == nullptr) return 0;
    mail = entry->mail;
  }
  std::shared_ptr<const std::string> body;
  std::string head;
  if (mail.segment == out_of) {
    auto read_head = journal->read_head(mail);
    auto read_body = read_head ? journal->read_body(mail) : std::unexpected(read_head.error());
    if (!read_body) {
      log::error("spool.unreadable", {{"id", id_of(key)}, {"error", read_body.error().text()}});
      return 0;
    }
    head = std::move(*read_head);
    body = std::make_shared<const std::string>(std::move(*read_body));
  }
  // Under the lock, so that no "done" of the same mail can come before it in the journal.
  const std::lock_guard guard(lock);
  const uint32_t slot = table.slot_of(key);
  if (slot == Table::kNone) return 0;
  if (body && table.at(slot).mail.segment == out_of) {
    const std::string_view view(*body);
    journal->append_lazily({static_cast<uint8_t>(Kind::mail), std::move(head), {view}},
                           [this, key, body](Result<journal::Place> place) {
                             if (!place) return;
                             const std::lock_guard inner(lock);
                             Entry* entry = table.find(key);
                             if (entry == nullptr) return journal->retire(*place);
                             journal->retire(entry->mail);
                             entry->mail = *place;
                           });
  }
  const Entry& entry = table.at(slot);
  if (entry.progress.segment == out_of || (body && entry.progress.segment != 0)) save_progress(slot);
  return body ? body->size() : 0;
}

}  // namespace doorward::spool
