#include "spool/spool.h"

#include <fmt/format.h>

#include <algorithm>
#include <coroutine>

#include "base/log.h"
#include "base/metrics.h"
#include "spool/state.h"

namespace doorward::spool {
namespace {

constexpr size_t kOverhead = 2048;  // octets of memory that a mail takes besides its content's buffer

std::string words_of(const smtp::Reply& reply) {
  if (reply.code == 0) return {};
  const auto& code = reply.enhanced;
  const std::string enhanced =
      code.present() ? fmt::format(" {}.{}.{}", code.klass, code.subject, code.detail) : std::string();
  return fmt::format("{}{} {}", reply.code, enhanced, reply.lines.empty() ? "" : reply.lines.front().substr(0, 500));
}

}  // namespace

std::string text(const Destination& destination) {
  switch (destination.kind) {
    case Destination::Kind::backend:
      return "backend:" + destination.name;
    case Destination::Kind::mx:
      return "mx:" + destination.name;
    case Destination::Kind::vault:
      break;
  }
  return "vault";
}

// Resumes the session on its core when the record is durable.
struct Spool::Durable {
  State& state;
  net::Core& core;
  std::shared_ptr<const Mail> mail;
  std::shared_ptr<const Content> content;
  const std::vector<mime::Edits>& versions;
  Result<void> result{};

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> session) {
    journal::Record record{static_cast<uint8_t>(Kind::mail), encode(*mail, versions), {content->raw()}};
    state.journal->append(std::move(record), [this, session](Result<journal::Place> place) {
      if (place) {
        const std::lock_guard guard(state.lock);
        take_in(*place);
      } else {
        result = std::unexpected(place.error());
        // Should it be found again all the same, this says that nobody was promised anything.
        state.write_done(key_of(mail->id));
      }
      core.post([session] { session.resume(); });
    });
  }
  Result<void> await_resume() { return std::move(result); }

  void take_in(const journal::Place& place) {
    state.insert(*mail, place);
    const uint32_t slot = state.table.slot_of(key_of(mail->id));
    const Entry& entry = state.table.at(slot);
    for (const Part& part : entry.parts) state.lanes.trust_again(part.lane);
    // A small mail's buffer is larger than the mail.
    const size_t octets = std::max(content->raw().size(), content->in_memory()) + kOverhead;
    if (!state.make_room(octets)) return;  // then it is read back when its turn comes
    state.fresh_octets += octets;
    state.fresh.emplace(slot, State::Fresh{mail, content, octets, entry.parts.size()});
    state.fresh_order.push_back({slot, entry.serial});
  }
};

Spool::Spool(std::unique_ptr<State> state) : state_(std::move(state)) {}

Spool::~Spool() {
  {
    const std::lock_guard guard(state_->lock);
    state_->stopping = true;
  }
  state_->cleaner_wakes.notify_all();
  if (state_->cleaner.joinable()) state_->cleaner.join();
  // What waits is written, and told to the state, which needs the journal for that; then what it appended on hearing
  // it.
  state_->journal->flush();
  state_->journal->flush();
  state_->journal.reset();
}

Result<std::unique_ptr<Spool>> Spool::open(Options options, const Clock& clock, journal::Disk& disk) {
  auto state = std::make_unique<State>(std::move(options), clock);
  const auto& given = state->options;
  if (auto made = disk.make_directory(given.directory); !made) return std::unexpected(made.error());
  auto held = disk.lock(given.directory + "/lock");
  if (!held) return std::unexpected(held.error());
  state->process_lock = std::move(*held);

  auto journal = journal::Journal::open(
      {.directory = given.directory, .segment = given.segment, .budget = given.budget, .reserve = given.reserve}, disk,
      [&](const journal::Found& found) { state->replay(found); });
  if (!journal) return std::unexpected(journal.error());
  if (state->unknown > 0) {
    return fail(fmt::format("{} records are of a form that this release does not know", state->unknown),
                given.directory);
  }
  state->journal = std::move(*journal);
  for (const auto& place : std::exchange(state->garbage, {})) state->journal->retire(place);
  // What the cleaner wrote anew came late, and may be old.
  const auto received = [&](const State::Aging& aging) { return state->table.at(aging.slot).received; };
  std::ranges::sort(state->expiring, {}, received);
  std::ranges::sort(state->warning, {}, received);
  state->cleaner = std::thread([raw = state.get()] { raw->clean(); });
  return std::unique_ptr<Spool>(new Spool(std::move(state)));
}

bool Spool::has_room(uint64_t octets) const { return state_->journal->has_room(octets); }

Task<Result<void>> Spool::commit(net::Core& core, std::shared_ptr<const Mail> mail,
                                 std::shared_ptr<const Content> content) {
  const auto& versions = content->edits();
  auto done = co_await Durable{*state_, core, std::move(mail), content, versions};
  if (done && state_->wake) state_->wake(&core);
  co_return done;
}

std::optional<Job> Spool::take(For whom) {
  for (;;) {
    Job job;
    Key key;
    {
      const std::lock_guard guard(state_->lock);
      auto next = state_->next(whom, key);
      if (!next) return std::nullopt;
      job = std::move(*next);
    }
    if (job.mail) return job;
    job.mail = state_->read_mail(key);
    if (job.mail) return job;
    const std::lock_guard guard(state_->lock);
    state_->set_unreadable(key, job);
  }
}

Result<std::shared_ptr<const Content>> Spool::read(const Mail& mail) {
  return state_->at_its_place<std::shared_ptr<const Content>>(
      key_of(mail.id), [this, &mail](const journal::Place& place) -> Result<std::shared_ptr<const Content>> {
        const auto head = state_->journal->read_head(place);
        if (!head) return std::unexpected(head.error());
        auto stored = decode_mail(*head);
        if (!stored) return fail("the mail's record is of an unknown form", mail.id);
        auto body = state_->journal->read_body(place);
        if (!body) return std::unexpected(body.error());
        return std::make_shared<const Content>(mail::Content::of(std::move(*body)), std::move(stored->versions));
      });
}

void Spool::report(const Job& job, std::vector<Outcome> outcomes, Health health, bool warned_now) {
  const std::lock_guard guard(state_->lock);
  const int64_t now = state_->now();
  const auto lane = state_->lanes.find(job.destination);
  if (lane && !job.outside) state_->lanes.finished(*lane, health, now);
  const uint32_t slot = state_->table.slot_of(key_of(job.mail->id));
  if (slot == Table::kNone || !lane) return;  // an administrator took it out meanwhile
  Entry& entry = state_->table.at(slot);
  const auto is_the_one = [&](const Part& part) {
    return part.taken && part.lane == *lane && part.version == job.version &&
           std::ranges::equal(part.recipients, job.recipients, std::equal_to<uint64_t>());
  };
  const auto found = std::ranges::find_if(entry.parts, is_the_one);
  if (found == entry.parts.end()) return;
  entry.warned = entry.warned || warned_now;
  Part part = std::move(*found);
  entry.parts.erase(found);
  part.taken = false;
  if (!job.warn_only) state_->take_outcomes(entry, part, std::move(outcomes), now);
  if (part.recipients.empty()) {
    state_->lanes.unuse(*lane);
  } else {
    entry.parts.push_back(std::move(part));
  }
  state_->stranded += entry.is_stranded() ? 1U : 0U;  // while a job was out, it was not
  for (Part& each : entry.parts) {
    if (!each.taken && each.stamp == 0 && !entry.held) state_->schedule(slot, each, each.next);
  }
  state_->settle(slot);
}

void Spool::State::take_outcomes(Entry& entry, Part& part, std::vector<Outcome> outcomes, int64_t now) {
  for (Outcome& outcome : outcomes) {
    const auto place = std::ranges::find(part.recipients, outcome.recipient);
    if (place == part.recipients.end()) continue;
    const auto recipient = static_cast<uint32_t>(outcome.recipient);
    if (!outcome.reply.lines.empty() && outcome.reply.code != 0) {
      LastReply reply{words_of(outcome.reply), std::move(outcome.remote)};
      if (!part.reply || !(*part.reply == reply)) part.reply = std::make_shared<const LastReply>(std::move(reply));
    }
    switch (outcome.kind) {
      case Outcome::Kind::retry:
        continue;
      case Outcome::Kind::delivered:
        set_fate(entry, recipient, Fate::delivered);
        break;
      case Outcome::Kind::failed:
        set_fate(entry, recipient, Fate::failed);
        break;
      case Outcome::Kind::stranded:
        set_fate(entry, recipient, Fate::stranded);
        break;
      case Outcome::Kind::reroute: {
        Part& other = add_part(entry, outcome.destination, part.version);
        other.recipients.push_back(recipient);
        other.next = now;
        break;
      }
    }
    part.recipients.erase(place);
  }
  part.last = now;
  part.next = now + retry_after(part);
  part.bounce = false;
  if (part.attempts < UINT16_MAX) ++part.attempts;
}

std::optional<Job> Spool::State::next(For whom, Key& key) {
  const int64_t at = now();
  if (whom == For::delivery) {
    age(at);
    while (!special.empty() && special.front().at <= at) {
      const Handed handed = find(special.front());
      special.pop_front();
      if (handed.slot == Table::kNone) continue;
      const Entry& entry = table.at(handed.slot);
      if (entry.held && !entry.parts[handed.part].bounce) continue;
      Job job = job_of(handed.slot, handed.part, entry.parts[handed.part].lane);
      job.outside = true;
      job.warn_only = !job.expired && !job.bounce;
      key = table.at(handed.slot).key;
      return job;
    }
  }
  uint32_t lane = 0;
  while (const auto due = lanes.take(whom, at, lane)) {
    const Handed handed = find(*due);
    if (handed.slot == Table::kNone) {
      lanes.skipped(lane);
      continue;
    }
    Entry& entry = table.at(handed.slot);
    if (entry.held) {
      entry.parts[handed.part].stamp = 0;  // release() schedules it again
      lanes.skipped(lane);
      continue;
    }
    Job job = job_of(handed.slot, handed.part, lane);
    key = entry.key;
    return job;
  }
  return std::nullopt;
}

// It cannot be delivered, and must not be forgotten: an administrator finds it among those that are held.
void Spool::State::set_unreadable(const Key& key, const Job& job) {
  log::error("spool.unreadable", {{"id", id_of(key)}, {"mend", "doorward spool fsck says what is damaged"}});
  const auto lane = lanes.find(job.destination);
  if (lane && !job.outside) lanes.finished(*lane, Health::unknown, now());
  Entry* entry = table.find(key);
  if (entry == nullptr) return;
  held += entry->held ? 0U : 1U;
  entry->held = true;
  for (Part& part : entry->parts) part.taken = false;
}

std::shared_ptr<const Mail> Spool::State::read_mail(const Key& key) {
  const auto head =
      at_its_place<std::string>(key, [this](const journal::Place& place) { return journal->read_head(place); });
  auto stored = head ? decode_mail(*head) : std::nullopt;
  if (!stored) return nullptr;
  const std::lock_guard guard(lock);
  if (const Entry* entry = table.find(key); entry != nullptr && entry->fates) {
    for (size_t i = 0; i < std::min(entry->fates->size(), stored->mail.recipients.size()); ++i) {
      stored->mail.recipients[i].fate = (*entry->fates)[i];
    }
  }
  return std::make_shared<const Mail>(std::move(stored->mail));
}

void Spool::on_due(std::function<void(net::Core*)> wake) { state_->wake = std::move(wake); }

SystemTime Spool::next_due() const {
  const std::lock_guard guard(state_->lock);
  int64_t next = state_->lanes.next_due(For::delivery);
  if (!state_->special.empty()) next = std::min(next, state_->special.front().at);
  const auto first = [&](const std::deque<State::Aging>& order, std::chrono::seconds after) {
    if (order.empty()) return;
    const Entry& entry = state_->table.at(order.front().slot);
    next = std::min(next, entry.received + std::chrono::milliseconds(after).count());
  };
  first(state_->expiring, state_->options.lifetime);
  first(state_->warning, state_->options.warn_after);
  return next == INT64_MAX ? SystemTime::max() : SystemTime(std::chrono::milliseconds(std::max<int64_t>(next, 0)));
}

Figures Spool::figures() const {
  const std::lock_guard guard(state_->lock);
  Figures made;
  made.mails = state_->table.size();
  made.recipients = state_->recipients;
  made.held = state_->held;
  made.stranded = state_->stranded;
  made.disk = state_->journal->disk_octets();
  made.content_in_memory = state_->fresh_octets;
  made.lanes = state_->lanes.size();
  for (const auto& aging : state_->expiring) {
    const Entry& entry = state_->table.at(aging.slot);
    if (entry.serial != aging.serial) continue;
    made.oldest = SystemTime(std::chrono::milliseconds(entry.received));
    break;
  }
  return made;
}

}  // namespace doorward::spool
