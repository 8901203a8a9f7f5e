// Winning back the journal's space: what still lives in its oldest segment is written anew, and the segment dropped.
#include "base/log.h"
#include "spool/state.h"

namespace doorward::spool {
namespace {

constexpr std::chrono::milliseconds kLook{200};  // between two looks at the journal
constexpr uint32_t kChunk = 20'000;              // entries looked at under one hold of the lock
constexpr size_t kAtOnce = 64;                   // mails written anew before the cleaner takes breath

}  // namespace

void Spool::State::clean() {
  for (;;) {
    {
      std::unique_lock held_lock(lock);
      if (cleaner_wakes.wait_for(held_lock, kLook, [this] { return stopping; })) return;
    }
    while (const auto segment = journal->to_clean()) {
      clean_segment(*segment);
      const std::lock_guard guard(lock);
      if (stopping) return;
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
    for (size_t i = 0; i < living.size(); ++i) {
      move(living[i], segment);
      if (i % kAtOnce == kAtOnce - 1) journal->flush();
    }
  }
  journal->flush();
  if (!journal->is_empty(segment)) {
    // Something could not be read or written: it stays where it is, and is tried again later.
    std::unique_lock held_lock(lock);
    cleaner_wakes.wait_for(held_lock, std::chrono::seconds(10), [this] { return stopping; });
    return;
  }
  if (const auto dropped = journal->drop(segment); !dropped) {
    log::error("spool.segment_not_dropped", {{"error", dropped.error().text()}});
  }
}

void Spool::State::move(const Key& key, uint64_t out_of) {
  journal::Place mail;
  {
    const std::lock_guard guard(lock);
    const Entry* entry = table.find(key);
    if (entry == nullptr) return;
    mail = entry->mail;
  }
  std::shared_ptr<const std::string> body;
  std::string head;
  if (mail.segment == out_of) {
    auto read_head = journal->read_head(mail);
    auto read_body = read_head ? journal->read_body(mail) : std::unexpected(read_head.error());
    if (!read_body) {
      log::error("spool.unreadable", {{"id", id_of(key)}, {"error", read_body.error().text()}});
      return;
    }
    head = std::move(*read_head);
    body = std::make_shared<const std::string>(std::move(*read_body));
  }
  // Under the lock, so that no "done" of the same mail can come before it in the journal.
  const std::lock_guard guard(lock);
  const uint32_t slot = table.slot_of(key);
  if (slot == Table::kNone) return;
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
}

}  // namespace doorward::spool
