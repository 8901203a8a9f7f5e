#include "spool/state.h"

#include <cmath>

#include "base/log.h"

namespace doorward::spool {
namespace {

int64_t milliseconds(std::chrono::seconds time) { return std::chrono::milliseconds(time).count(); }

}  // namespace

Part& Spool::State::add_part(Entry& entry, const Destination& destination, uint16_t version) {
  const uint32_t lane = lanes.use(destination);
  for (Part& part : entry.parts) {
    if (part.lane == lane && part.version == version && !part.taken) {
      lanes.unuse(lane);
      return part;
    }
  }
  Part& made = entry.parts.emplace_back();
  made.lane = lane;
  made.version = version;
  return made;
}

void Spool::State::remove_part(Entry& entry, size_t part) {
  const uint32_t lane = entry.parts[part].lane;
  entry.parts.erase(entry.parts.begin() + static_cast<std::ptrdiff_t>(part));
  lanes.unuse(lane);
}

void Spool::State::insert(const Mail& mail, const journal::Place& place) {
  const uint32_t slot = table.add(key_of(mail.id));
  Entry& entry = table.at(slot);
  if (entry.mail.segment != 0) {  // written anew by the cleaner
    retire(entry.mail);
    entry.mail = place;
    return;
  }
  entry.mail = place;
  entry.size = static_cast<uint32_t>(std::min<uint64_t>(mail.size, UINT32_MAX));
  entry.received = mail.received_at.time_since_epoch().count();
  entry.recipients = static_cast<uint32_t>(mail.recipients.size());
  entry.may_bounce = mail.may_bounce;
  recipients += entry.recipients;
  const int64_t at = now();
  for (uint32_t i = 0; i < entry.recipients; ++i) {
    const Recipient& recipient = mail.recipients[i];
    if (recipient.fate != Fate::waiting) {
      set_fate(entry, i, recipient.fate);
      continue;
    }
    add_part(entry, recipient.destination, recipient.version).recipients.push_back(i);
  }
  for (Part& part : entry.parts) {
    schedule(slot, part, at);
    if (!journal) lanes.doubt(part.lane);  // found at start
  }
  expiring.push_back({slot, entry.serial});
  if (entry.may_bounce) warning.push_back({slot, entry.serial});
}

void Spool::State::apply(const Progress& progress, const journal::Place& place) {
  const uint32_t slot = table.slot_of(key_of(progress.id));
  if (slot == Table::kNone || progress.fates.size() != table.at(slot).recipients) {
    retire(place);
    return;
  }
  Entry& entry = table.at(slot);
  if (entry.progress.segment != 0) retire(entry.progress);
  entry.progress = place;
  held += (progress.held ? 1U : 0U) - (entry.held ? 1U : 0U);
  entry.held = progress.held;
  entry.warned = progress.warned;
  stranded -= entry.is_stranded() ? 1U : 0U;
  while (!entry.parts.empty()) remove_part(entry, entry.parts.size() - 1);
  entry.fates.reset();
  for (uint32_t i = 0; i < entry.recipients; ++i) {
    if (progress.fates[i] != Fate::waiting) set_fate(entry, i, progress.fates[i]);
  }
  for (const PartState& written : progress.parts) {
    Part& part = add_part(entry, written.destination, written.version);
    part.recipients.assign(written.recipients.begin(), written.recipients.end());
    part.attempts = static_cast<uint16_t>(std::min<uint32_t>(written.attempts, UINT16_MAX));
    part.last = written.last.time_since_epoch().count();
    part.bounce = written.bounce;
    part.reply = written.reply;
    schedule(slot, part, written.next.time_since_epoch().count());
    if (part.attempts > 0) lanes.doubt(part.lane);
  }
  stranded += entry.is_stranded() ? 1U : 0U;
}

void Spool::State::erase(uint32_t slot) {
  Entry& entry = table.at(slot);
  drop_fresh(slot);
  recipients -= entry.recipients;
  held -= entry.held ? 1U : 0U;
  stranded -= entry.is_stranded() ? 1U : 0U;
  while (!entry.parts.empty()) remove_part(entry, entry.parts.size() - 1);
  retire(entry.mail);
  if (entry.progress.segment != 0) retire(entry.progress);
  table.erase(slot);
}

void Spool::State::schedule(uint32_t slot, Part& part, int64_t at) {
  part.next = at;
  part.stamp = lanes.schedule(part.lane, slot, at);
  if (part.bounce) special.push_back({at, slot, part.stamp});
}

void Spool::State::set_fate(Entry& entry, uint32_t recipient, Fate fate) {
  if (!entry.fates) entry.fates = std::make_unique<std::vector<Fate>>(entry.recipients, Fate::waiting);
  (*entry.fates)[recipient] = fate;
}

void Spool::State::drop_fresh(uint32_t slot) {
  const auto found = fresh.find(slot);
  if (found == fresh.end()) return;
  fresh_octets -= found->second.octets;
  fresh.erase(found);
}

// The oldest give way where their destination is left alone at present; those that go out soon stay.
bool Spool::State::make_room(size_t octets) {
  constexpr int kLookedAt = 8;
  const int64_t at = now();
  for (int i = 0; i < kLookedAt && !fresh_order.empty(); ++i) {
    const Aging oldest = fresh_order.front();
    const Entry& entry = table.at(oldest.slot);
    const bool is_stale = entry.serial != oldest.serial || !fresh.contains(oldest.slot);
    if (!is_stale && fresh_octets + octets <= options.memory) break;
    fresh_order.pop_front();
    if (is_stale) continue;
    if (entry.held ||
        std::ranges::all_of(entry.parts, [&](const Part& part) { return lanes.is_closed(part.lane, at); })) {
      drop_fresh(oldest.slot);
    } else {
      fresh_order.push_back(oldest);
    }
  }
  return fresh_octets + octets <= options.memory;
}

// Mails whose time is over, or of whose delay the sender is to hear, are handed out whatever their lane says.
void Spool::State::age(int64_t now) {
  const auto go_through = [&](std::deque<Aging>& order, std::chrono::seconds after, const auto& act) {
    while (!order.empty()) {
      const Aging first = order.front();
      Entry& entry = table.at(first.slot);
      if (entry.serial == first.serial) {
        if (entry.received + milliseconds(after) > now) return;
        act(entry, first.slot);
      }
      order.pop_front();
    }
  };
  const auto hand_out = [&](Entry& entry, uint32_t slot) {
    for (const Part& part : entry.parts) {
      if (lanes.destination(part.lane).kind != Destination::Kind::vault) special.push_back({now, slot, part.stamp});
    }
  };
  go_through(expiring, options.lifetime, hand_out);
  go_through(warning, options.warn_after, [&](Entry& entry, uint32_t slot) {
    if (!entry.warned) hand_out(entry, slot);
  });
}

// Growing pauses, with a tenth of chance so that mails of one moment do not come back as one.
int64_t Spool::State::retry_after(const Part& part) {
  const double first = static_cast<double>(milliseconds(options.first_retry));
  const double longest = static_cast<double>(milliseconds(options.longest_retry));
  const double pause = std::min(longest, first * std::pow(options.growth, std::min<int>(part.attempts, 64)));
  return static_cast<int64_t>(pause * std::uniform_real_distribution(0.95, 1.05)(dice));
}

Progress Spool::State::progress_of(const Entry& entry) const {
  Progress made;
  made.id = id_of(entry.key);
  made.held = entry.held;
  made.warned = entry.warned;
  made.fates = entry.fates ? *entry.fates : std::vector<Fate>(entry.recipients, Fate::waiting);
  for (const Part& part : entry.parts) {
    PartState written;
    written.destination = lanes.destination(part.lane);
    written.version = part.version;
    written.recipients.assign(part.recipients.begin(), part.recipients.end());
    written.attempts = part.attempts;
    written.next = SystemTime(std::chrono::milliseconds(part.next));
    written.last = SystemTime(std::chrono::milliseconds(part.last));
    written.bounce = part.bounce;
    written.reply = part.reply;
    made.parts.push_back(std::move(written));
  }
  return made;
}

void Spool::State::save_progress(uint32_t slot) {
  const Key key = table.at(slot).key;
  journal->append_lazily({static_cast<uint8_t>(Kind::progress), encode(progress_of(table.at(slot)))},
                         [this, key](Result<journal::Place> place) {
                           const std::lock_guard guard(lock);
                           // Told by the journal. A crash before it is written again delivers twice, and loses nothing.
                           if (!place) return unsaved.push_back(key);
                           Entry* entry = table.find(key);
                           if (entry == nullptr) return retire(*place);
                           if (entry->progress.segment != 0) retire(entry->progress);
                           entry->progress = *place;
                         });
}

void Spool::State::save_done(uint32_t slot) {
  write_done(table.at(slot).key);
  erase(slot);
}

void Spool::State::write_done(const Key& key) {
  // It is of no use once nothing older is left, and space is won back from the oldest on: it need not live.
  journal->append_lazily({static_cast<uint8_t>(Kind::done), encode_done(id_of(key))},
                         [this, key](Result<journal::Place> place) {
                           if (place) return retire(*place);
                           const std::lock_guard guard(lock);
                           unsaved.push_back(key);
                         });
}

void Spool::State::settle(uint32_t slot) {
  Entry& entry = table.at(slot);
  if (entry.parts.empty() && !entry.is_stranded()) {
    save_done(slot);
  } else {
    save_progress(slot);
  }
}

Spool::State::Handed Spool::State::find(const Due& due) {
  if (due.slot >= table.slots()) return {};
  Entry& entry = table.at(due.slot);
  if (entry.serial == 0) return {};
  for (size_t i = 0; i < entry.parts.size(); ++i) {
    if (entry.parts[i].stamp == due.stamp && !entry.parts[i].taken) return {due.slot, i};
  }
  return {};
}

Job Spool::State::job_of(uint32_t slot, size_t number, uint32_t lane) {
  Entry& entry = table.at(slot);
  Part& part = entry.parts[number];
  part.taken = true;
  part.stamp = 0;
  Job job;
  job.destination = lanes.destination(lane);
  job.version = part.version;
  job.recipients.assign(part.recipients.begin(), part.recipients.end());
  job.attempts = part.attempts;
  job.last_attempt = SystemTime(std::chrono::milliseconds(part.last));
  job.warned = entry.warned;
  job.bounce = part.bounce;
  job.expired = entry.received + milliseconds(options.lifetime) <= now();
  if (const auto known = fresh.find(slot); known != fresh.end()) {
    job.mail = known->second.mail;
    job.content = known->second.content;
    if (--known->second.untried == 0) drop_fresh(slot);
  }
  return job;
}

// At start, under no lock: nobody else has the state yet.
void Spool::State::replay(const journal::Found& found) {
  switch (static_cast<Kind>(found.kind)) {
    case Kind::mail:
      if (const auto stored = decode_mail(found.head)) return insert(stored->mail, found.place);
      break;
    case Kind::progress:
      if (const auto progress = decode_progress(found.head)) return apply(*progress, found.place);
      break;
    case Kind::done:
      if (const auto id = decode_done(found.head)) {
        retire(found.place);
        if (const uint32_t slot = table.slot_of(key_of(*id)); slot != Table::kNone) erase(slot);
        return;
      }
      break;
  }
  ++unknown;
}

void Spool::State::retire(const journal::Place& place) {
  if (journal) {
    journal->retire(place);
  } else {
    garbage.push_back(place);
  }
}

}  // namespace doorward::spool
