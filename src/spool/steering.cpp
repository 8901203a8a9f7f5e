// What an administrator sees and does: doorward queue.
#include <algorithm>

#include "base/log.h"
#include "mail/wildcard.h"
#include "spool/state.h"

namespace doorward::spool {
namespace {

bool wants_texts(const Filter& filter) {
  return !filter.sender.empty() || !filter.recipient.empty() || filter.customer != 0;
}

bool texts_match(const Filter& filter, const Mail& mail) {
  if (!filter.sender.empty() && !mail::wildcard_match_ignoring_case(filter.sender, mail.from.text())) return false;
  if (filter.customer != 0 &&
      std::ranges::find(mail.recipients, filter.customer, &Recipient::customer) == mail.recipients.end()) {
    return false;
  }
  if (filter.recipient.empty()) return true;
  return std::ranges::any_of(mail.recipients, [&](const Recipient& recipient) {
    return mail::wildcard_match_ignoring_case(filter.recipient, recipient.to.mailbox.text()) ||
           mail::wildcard_match_ignoring_case(filter.recipient, recipient.given);
  });
}

constexpr uint32_t kChunk = 20'000;  // entries looked at under one hold of the lock

}  // namespace

// What can be told from memory.
bool Spool::State::matches(const Filter& filter, const Entry& entry) const {
  if (filter.held && *filter.held != entry.held) return false;
  if (filter.may_bounce && *filter.may_bounce != entry.may_bounce) return false;
  if (filter.fate == Fate::waiting && entry.parts.empty()) return false;
  if (filter.fate == Fate::stranded && !entry.has_stranded()) {
    return false;
  }
  const auto age = std::chrono::milliseconds(now() - entry.received);
  if (filter.older_than && age < *filter.older_than) return false;
  if (filter.younger_than && age > *filter.younger_than) return false;
  if (filter.destination.empty() && filter.reason.empty()) return true;
  return std::ranges::any_of(entry.parts, [&](const Part& part) {
    if (!filter.destination.empty() &&
        !mail::wildcard_match_ignoring_case(filter.destination, text(lanes.destination(part.lane)))) {
      return false;
    }
    return filter.reason.empty() || (part.reply && part.reply->text.contains(filter.reason));
  });
}

std::vector<Key> Spool::State::matching(const Filter& filter, size_t most) {
  std::vector<Key> found;
  const auto keep = [&](const Key& key) {
    if (found.size() < most) found.push_back(key);
  };
  std::vector<Key> asked;
  asked.reserve(filter.ids.size());
  for (const auto& id : filter.ids) asked.push_back(key_of(id));
  for (uint32_t begin = 0; found.size() < most; begin += kChunk) {
    std::vector<Key> candidates;
    {
      const std::lock_guard guard(lock);
      if (!asked.empty()) {
        if (begin > 0) break;
        for (const Key& key : asked) {
          const Entry* entry = table.find(key);
          if (entry != nullptr && matches(filter, *entry)) candidates.push_back(key);
        }
      } else {
        if (begin >= table.slots()) break;
        for (uint32_t slot = begin; slot < std::min(begin + kChunk, table.slots()); ++slot) {
          const Entry& entry = table.at(slot);
          if (entry.serial != 0 && matches(filter, entry)) candidates.push_back(entry.key);
        }
      }
    }
    for (const Key& key : candidates) {
      if (found.size() >= most) break;
      if (wants_texts(filter)) {
        const auto mail = read_mail(key);
        if (!mail || !texts_match(filter, *mail)) continue;
      }
      keep(key);
    }
  }
  return found;
}

// Does `act` to each that matches, under the lock; returns how many it was done to.
size_t Spool::State::each(const Filter& filter, const std::function<bool(uint32_t slot)>& act) {
  size_t count = 0;
  const auto keys = matching(filter, SIZE_MAX);
  for (size_t begin = 0; begin < keys.size(); begin += kChunk) {
    const std::lock_guard guard(lock);
    for (size_t i = begin; i < std::min<size_t>(begin + kChunk, keys.size()); ++i) {
      const uint32_t slot = table.slot_of(keys[i]);
      if (slot != Table::kNone && act(slot)) ++count;
    }
  }
  {
    const std::lock_guard guard(lock);
    lanes.wake_all();
  }
  if (wake) wake(nullptr);
  if (count > 0) journal->flush();  // an administrator's word is durable before he is told so
  return count;
}

void Spool::visit(const Filter& filter, size_t most, const std::function<bool(const Listed&)>& each) const {
  for (const Key& key : state_->matching(filter, most)) {
    Listed listed;
    listed.mail = state_->read_mail(key);
    if (!listed.mail) continue;
    std::unique_lock guard(state_->lock);
    const Entry* entry = state_->table.find(key);
    if (entry == nullptr) continue;
    listed.held = entry->held;
    for (const Part& part : entry->parts) {
      Listed::Part shown;
      shown.destination = state_->lanes.destination(part.lane);
      shown.recipients.assign(part.recipients.begin(), part.recipients.end());
      shown.attempts = part.attempts;
      shown.next = SystemTime(std::chrono::milliseconds(part.taken ? 0 : part.next));
      if (part.reply) {
        shown.last_reply = part.reply->text;
        shown.remote = part.reply->remote;
      }
      listed.parts.push_back(std::move(shown));
    }
    guard.unlock();
    if (!each(listed)) return;
  }
}

std::vector<Listed> Spool::list(const Filter& filter, size_t most) const {
  std::vector<Listed> all;
  visit(filter, most, [&all](const Listed& listed) {
    all.push_back(listed);
    return true;
  });
  return all;
}

size_t Spool::retry(const Filter& filter) {
  auto& state = *state_;
  return state.each(filter, [&](uint32_t slot) {
    Entry& entry = state.table.at(slot);
    if (entry.held) return false;
    for (Part& part : entry.parts) {
      if (!part.taken) state.schedule(slot, part, state.now());
    }
    return !entry.parts.empty();
  });
}

size_t Spool::hold(const Filter& filter) {
  auto& state = *state_;
  return state.each(filter, [&](uint32_t slot) {
    Entry& entry = state.table.at(slot);
    if (entry.held) return false;
    entry.held = true;
    ++state.held;
    for (Part& part : entry.parts) part.stamp = 0;
    state.save_progress(slot);
    return true;
  });
}

size_t Spool::release(const Filter& filter) {
  auto& state = *state_;
  return state.each(filter, [&](uint32_t slot) {
    const bool was_held = state.table.at(slot).held;
    const bool was_stranded = state.unstrand(slot);
    if (!was_held && !was_stranded) return false;
    Entry& entry = state.table.at(slot);
    state.held -= was_held ? 1U : 0U;
    entry.held = false;
    for (Part& part : entry.parts) {
      if (!part.taken) state.schedule(slot, part, state.now());
    }
    state.save_progress(slot);
    return true;
  });
}

// Stranded recipients wait again, where they waited before.
bool Spool::State::unstrand(uint32_t slot) {
  Entry& entry = table.at(slot);
  if (!entry.has_stranded()) return false;
  const auto head = journal->read_head(entry.mail);  // one record, at an administrator's word: the lock may wait
  const auto stored = head ? decode_mail(*head) : std::nullopt;
  if (!stored || stored->mail.recipients.size() != entry.recipients) return false;
  stranded -= entry.is_stranded() ? 1U : 0U;
  // Its time begins anew.
  entry.received = std::max(entry.received, now() - std::chrono::milliseconds(options.lifetime).count() / 2);
  for (uint32_t i = 0; i < entry.recipients; ++i) {
    if ((*entry.fates)[i] != Fate::stranded) continue;
    (*entry.fates)[i] = Fate::waiting;
    add_part(entry, stored->mail.recipients[i].destination, stored->mail.recipients[i].version).recipients.push_back(i);
  }
  expiring.push_back({slot, entry.serial});
  return true;
}

size_t Spool::remove(const Filter& filter) {
  auto& state = *state_;
  return state.each(filter, [&](uint32_t slot) {
    state.save_done(slot);
    return true;
  });
}

size_t Spool::bounce(const Filter& filter) {
  auto& state = *state_;
  return state.each(filter, [&](uint32_t slot) {
    state.unstrand(slot);
    Entry& entry = state.table.at(slot);
    for (Part& part : entry.parts) {
      part.bounce = true;
      if (!part.taken) state.schedule(slot, part, state.now());
    }
    state.save_progress(slot);
    return !entry.parts.empty();
  });
}

}  // namespace doorward::spool
