#include "vault/vault.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <filesystem>
#include <mutex>
#include <thread>

#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "vault/bodies.h"
#include "vault/cipher.h"
#include "vault/lawful.h"
#include "vault/place_lock.h"
#include "vault/tables.h"

namespace doorward::vault {
namespace {

constexpr size_t kSweptAtOnce = 500;  // entries a transaction

std::string moment(SystemTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", std::chrono::floor<std::chrono::seconds>(time));
}

std::unexpected<Error> unknown(std::string_view id) {
  return fail(fmt::format("there is no entry {}", id), {}, Blame::peer);
}

// Why an entry cannot be released or deleted any more.
std::unexpected<Error> too_late(const Entry& entry) {
  if (entry.state == State::releasing) {
    return fail(fmt::format("entry {} is being released at this moment", entry.id), {}, Blame::peer);
  }
  return fail(fmt::format("entry {} was {} on {} already", entry.id, name(entry.state), moment(entry.ended)), {},
              Blame::peer);
}

Result<void> make_directory(const std::string& path) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (!failed) std::filesystem::permissions(path, std::filesystem::perms::owner_all, failed);
  if (failed) return fail(fmt::format("the directory cannot be made: {}", failed.message()), path);
  return {};
}

// The mail as it goes back into the queue, to that one recipient.
Result<std::shared_ptr<const spool::Mail>> mail_of(const Entry& entry, const policy::Snapshot& snapshot,
                                                   SystemTime now) {
  auto mailbox = mail::parse_mailbox(entry.recipient);
  if (!mailbox) return fail(fmt::format("its recipient {} is no address", entry.recipient));
  auto destination = way_out(*mailbox, snapshot);
  if (!destination) return fail(fmt::format("{} is no domain with a backend here any more", mailbox->domain.text()));
  auto made = std::make_shared<spool::Mail>();
  made->id = new_id(now);
  made->received_at = now;
  made->client_ip = entry.client_ip;
  if (auto sender = mail::parse_mailbox(entry.sender)) made->from = {std::move(*sender), false};
  made->body = entry.body;
  made->smtputf8 = entry.smtputf8;
  made->require_tls = entry.require_tls;
  made->size = entry.size;
  made->subject = entry.subject;
  spool::Recipient recipient;
  recipient.given = entry.recipient;
  recipient.to.mailbox = std::move(*mailbox);
  recipient.to.notify.given = recipient.to.notify.never = true;  // its sender's wishes were for the first way
  recipient.destination = std::move(*destination);
  recipient.customer = entry.customer;
  recipient.domain = entry.domain;
  recipient.klass = entry.klass;
  made->recipients.push_back(std::move(recipient));
  return std::shared_ptr<const spool::Mail>(std::move(made));
}

std::shared_ptr<const spool::Content> content_of(std::string bytes, const Entry& entry, SystemTime now) {
  mime::Edits edits;
  edits.prepend(fmt::format("X-Doorward-Released: {}; {}\r\n", entry.id, moment(now)));
  std::vector<mime::Edits> versions;
  versions.push_back(std::move(edits));
  return std::make_shared<spool::Content>(mail::Content::of(std::move(bytes)), std::move(versions));
}

metrics::Counter& counted(std::string_view what) {
  return metrics::counter("doorward_vault_entries_total", "What became of entries of the vault", {{"what", what}});
}

}  // namespace

struct Vault::Room {
  Options options;
  const Clock& clock;
  PlaceLock lock;
  std::unique_ptr<Tables> tables;
  std::unique_ptr<Bodies> bodies;
  std::mutex mutex;
  bool unsettled = true;  // erased keys may stand in the write-ahead log still, those of before a crash too

  // What is to be stored of one content.
  struct Draft {
    const Incoming* from = nullptr;
    size_t position = 0;  // of the mail among those given
    std::string digest;
    std::vector<size_t> recipients{};
    std::string body_id{}, key{};
    Draft() = default;
    ~Draft() { wipe(key); }
    Draft(Draft&&) = default;
    Draft& operator=(Draft&&) = default;
  };

  Room(Options given, const Clock& time, PlaceLock held)
      : options(std::move(given)), clock(time), lock(std::move(held)) {}

  Entry entry_for(const spool::Mail& mail, const spool::Recipient& recipient, uint64_t size,
                  const policy::Snapshot& snapshot) const {
    Entry entry;
    const SystemTime now = clock.now();
    entry.id = new_id(now);
    entry.mail = mail.id;
    entry.customer = recipient.customer;
    entry.domain = recipient.domain;
    entry.recipient = recipient.to.mailbox.text();
    entry.klass = recipient.klass;
    entry.reason = fmt::format("{}: {}", sheet::name(recipient.disposition), sheet::name(recipient.klass));
    entry.sender = mail.from.text();
    entry.subject = mail.subject;
    entry.client_ip = mail.client_ip;
    entry.body = mail.body;
    entry.smtputf8 = mail.smtputf8;
    entry.require_tls = mail.require_tls;
    entry.size = size;
    entry.received = mail.received_at;
    entry.expires = expiry(recipient, snapshot);
    return entry;
  }

  SystemTime expiry(const spool::Recipient& recipient, const policy::Snapshot& snapshot) const {
    const auto settings = snapshot.resolve(recipient.to.mailbox).settings;
    return clock.now() + std::chrono::days((settings ? *settings : *snapshot.fallback()).keep_days);
  }

  // Whether an entry of the same content stands for this mail too, so that it needs none of its own. It must be as good
  // as a new one: kept as long, and readable.
  Result<bool> stands_for(const std::string& id, const spool::Recipient& recipient, const policy::Snapshot& snapshot) {
    if (auto longer = tables->keep_until(id, expiry(recipient, snapshot)); !longer) {
      return std::unexpected(longer.error());
    }
    const auto readable = content(id);
    if (readable) return true;
    log::error("vault.entry_unreadable", {{"entry", id}, {"error", readable.error().text()}});
    if (auto done = tables->stand_for_nothing(id); !done) return std::unexpected(done.error());
    return false;
  }

  // The recipients of `incoming` that need an entry; the others' results are told at once.
  Result<Draft> draft(std::span<const Incoming> mails, size_t mail, const policy::Snapshot& snapshot,
                      std::vector<Kept>& results) {
    const Incoming& incoming = mails[mail];
    Draft draft;
    draft.from = &incoming;
    draft.position = mail;
    const std::array<std::string_view, 1> raw{incoming.content->raw()};
    draft.digest = digest(raw);
    for (const size_t position : incoming.recipients) {
      const auto& recipient = incoming.mail->recipients.at(position);
      if (!may_keep(*incoming.mail, recipient, snapshot)) {
        results.push_back({Kept::What::forbidden, mail, position});
        continue;
      }
      auto same = tables->find_same(incoming.mail->id, recipient.to.mailbox.key(), draft.digest);
      if (!same) return std::unexpected(same.error());
      bool known = same->has_value();
      if (known && !(*same)->of_this_mail) {
        const auto stands = stands_for((*same)->id, recipient, snapshot);
        if (!stands) return std::unexpected(stands.error());
        known = *stands;
      }
      if (known) {
        results.push_back({Kept::What::known, mail, position, (*same)->id});
      } else {
        draft.recipients.push_back(position);
      }
    }
    return draft;
  }

  // Within a transaction.
  Result<void> store(const Draft& draft, const Body& body, uint64_t size, const policy::Snapshot& snapshot,
                     std::vector<Kept>& results) {
    if (auto added = tables->add_body(body); !added) return added;
    for (const size_t position : draft.recipients) {
      const auto& recipient = draft.from->mail->recipients.at(position);
      const std::string key = recipient.to.mailbox.key();
      // Another mail of the same batch may have brought it, or the same recipient stands in one mail twice.
      auto same = tables->find_same(draft.from->mail->id, key, draft.digest);
      if (!same) return std::unexpected(same.error());
      if (*same) {
        results.push_back({Kept::What::known, draft.position, position, (*same)->id});
        continue;
      }
      const Entry entry = entry_for(*draft.from->mail, recipient, size, snapshot);
      const auto& domain = recipient.to.mailbox.domain.key();
      if (auto added = tables->add(entry, key, domain, draft.digest, body.id, draft.key); !added) return added;
      results.push_back({Kept::What::made, draft.position, position, entry.id});
    }
    return {};
  }

  Result<void> give_up_orphans() {
    auto orphans = tables->take_orphans();
    if (!orphans) return std::unexpected(orphans.error());
    for (const Body& body : *orphans) bodies->give_up(body);
    return {};
  }

  Result<std::vector<Kept>> keep(std::span<const Incoming> mails, const policy::Snapshot& snapshot) {
    std::vector<Kept> results;
    std::vector<Draft> drafts;
    std::vector<Bodies::Sealed> sealed;
    std::vector<uint64_t> sizes;
    for (size_t i = 0; i < mails.size(); ++i) {
      const Incoming& incoming = mails[i];
      auto draft = this->draft(mails, i, snapshot, results);
      if (!draft) return std::unexpected(draft.error());
      if (draft->recipients.empty()) continue;
      draft->body_id = new_id(clock.now());
      draft->key = new_key();
      const auto pieces = incoming.content->pieces(incoming.version);
      uint64_t size = 0;
      for (const auto& piece : pieces) size += piece.size();
      if (size > kMostBody) return fail(fmt::format("mail {} is too large to be kept", incoming.mail->id));
      sizes.push_back(size);
      sealed.push_back({draft->body_id, seal(draft->key, draft->body_id, pieces)});
      drafts.push_back(std::move(*draft));
    }
    if (drafts.empty()) return results;
    uint64_t octets = 0;
    for (const auto& body : sealed) octets += body.octets.size();
    if (!bodies->has_room(octets)) return fail("the vault has no room: its budget is used up, or its disk is full");
    auto stored = bodies->append(sealed);
    if (!stored) return std::unexpected(stored.error());
    auto done = tables->transaction([&]() -> Result<void> {
      for (size_t i = 0; i < drafts.size(); ++i) {
        if (auto added = store(drafts[i], (*stored)[i], sizes[i], snapshot, results); !added) return added;
      }
      return {};
    });
    if (!done) {
      for (const Body& body : *stored) bodies->give_up(body);
      return std::unexpected(done.error());
    }
    if (auto cleared = give_up_orphans(); !cleared) return std::unexpected(cleared.error());
    return results;
  }

  Result<std::string> content(std::string_view id) {
    auto key = tables->key_of(id);
    if (!key) return std::unexpected(key.error());
    if (!*key) return fail(fmt::format("the content of entry {} was erased", id), {}, Blame::peer);
    auto octets = bodies->read((*key)->body);
    if (!octets) return octets;
    auto plain = vault::open((*key)->key, (*key)->body.id, *octets);
    wipe((*key)->key);
    return plain;
  }

  Result<Entry> show(std::string_view id) {
    auto entry = tables->find(id);
    if (!entry) return std::unexpected(entry.error());
    if (!*entry) return unknown(id);
    return std::move(**entry);
  }

  // An entry that is marked already goes on its way.
  Result<void> send(const Entry& entry, const policy::Snapshot& snapshot, const Commit& commit) {
    std::unique_lock held(mutex);
    auto bytes = content(entry.id);
    if (!bytes) return std::unexpected(bytes.error());
    const SystemTime now = clock.now();
    auto mail = mail_of(entry, snapshot, now);
    if (!mail) return std::unexpected(mail.error());
    auto bundle = content_of(std::move(*bytes), entry, now);
    held.unlock();
    if (auto committed = commit(*mail, bundle); !committed) return committed;
    held.lock();
    if (auto done = tables->change(entry.id, State::releasing, State::released, now); !done) {
      // It is on its way all the same; it stays marked, and the next start sends it once more.
      log::error("vault.release_not_noted", {{"entry", entry.id}, {"error", done.error().text()}});
    }
    counted("released").add();
    log::info("vault.released", {{"entry", entry.id},
                                 {"mail", entry.mail},
                                 {"as", (*mail)->id},
                                 {"recipient", entry.recipient},
                                 {"destination", (*mail)->recipients.front().destination.name}});
    return {};
  }

  // Erases; the keys may be in the write-ahead log until settle().
  Result<void> erase(const std::vector<std::string>& ids, State to) {
    std::vector<Body> orphans;
    auto done = tables->transaction([&]() -> Result<void> {
      for (const auto& id : ids) {
        if (auto erased = tables->erase(id, to, clock.now()); !erased) return std::unexpected(erased.error());
      }
      auto taken = tables->take_orphans();
      if (!taken) return std::unexpected(taken.error());
      orphans = std::move(*taken);
      return {};
    });
    if (!done) return done;
    unsettled = true;
    for (const Body& body : orphans) bodies->give_up(body);
    return {};
  }

  // Where the write-ahead log cannot be emptied now, the next sweep does it.
  Result<void> settle() {
    auto settled = tables->settle();
    unsettled = !settled;
    return settled;
  }
};

Vault::Vault(std::unique_ptr<Room> state) : state_(std::move(state)) {}
Vault::~Vault() = default;

Result<std::unique_ptr<Vault>> Vault::open(Options options, const Clock& clock, journal::Disk& disk) {
  if (auto made = make_directory(options.directory); !made) return std::unexpected(made.error());
  auto lock = PlaceLock::take(options.directory + "/lock");
  if (!lock) return std::unexpected(lock.error());
  auto state = std::make_unique<Room>(std::move(options), clock, std::move(*lock));
  auto tables = Tables::open(state->options.directory + "/vault.db");
  if (!tables) return std::unexpected(tables.error());
  state->tables = std::move(*tables);
  auto known = state->tables->bodies();
  if (!known) return std::unexpected(known.error());
  journal::Options journal;
  journal.directory = state->options.directory + "/bodies";
  journal.segment = state->options.segment;
  journal.budget = state->options.budget;
  journal.reserve = state->options.reserve;
  auto bodies = Bodies::open(std::move(journal), disk, *known);
  if (!bodies) return std::unexpected(bodies.error());
  state->bodies = std::move(*bodies);
  return std::unique_ptr<Vault>(new Vault(std::move(state)));
}

Result<std::vector<Kept>> Vault::keep(std::span<const Incoming> mails, const policy::Snapshot& snapshot) {
  const std::scoped_lock held(state_->mutex);
  auto kept = state_->keep(mails, snapshot);
  if (!kept) return kept;
  for (const Kept& one : *kept) {
    counted(one.what == Kept::What::made ? "made" : one.what == Kept::What::known ? "known" : "forbidden").add();
  }
  return kept;
}

Result<std::vector<Entry>> Vault::list(const Filter& filter, size_t most) {
  const std::scoped_lock held(state_->mutex);
  return state_->tables->list(filter, most);
}

Result<Entry> Vault::show(std::string_view id) {
  const std::scoped_lock held(state_->mutex);
  return state_->show(id);
}

Result<std::string> Vault::content(std::string_view id) {
  const std::scoped_lock held(state_->mutex);
  return state_->content(id);
}

Result<Entry> Vault::release(std::string_view id, const policy::Snapshot& snapshot, const Commit& commit) {
  std::unique_lock held(state_->mutex);
  auto entry = state_->show(id);
  if (!entry) return entry;
  auto marked = state_->tables->change(id, State::kept, State::releasing, state_->clock.now());
  if (!marked) return std::unexpected(marked.error());
  if (!*marked) return too_late(*entry);
  held.unlock();
  if (auto sent = state_->send(*entry, snapshot, commit); !sent) {
    held.lock();
    // Where even that fails, the next start goes on with it.
    if (auto back = state_->tables->change(id, State::releasing, State::kept, state_->clock.now()); !back) {
      log::error("vault.release_not_taken_back", {{"entry", id}, {"error", back.error().text()}});
    }
    return std::unexpected(sent.error());
  }
  return show(id);
}

Result<size_t> Vault::resume_releases(const policy::Snapshot& snapshot, const Commit& commit) {
  Filter filter;
  filter.state = State::releasing;
  auto waiting = list(filter, SIZE_MAX);
  if (!waiting) return std::unexpected(waiting.error());
  size_t resumed = 0;
  for (const Entry& entry : *waiting) {
    log::warning("vault.release_resumed", {{"entry", entry.id}, {"mail", entry.mail}, {"may_be", "a second copy"}});
    {
      const std::scoped_lock held(state_->mutex);
      auto counted_again = state_->tables->change(entry.id, State::releasing, State::releasing, state_->clock.now());
      if (!counted_again) return std::unexpected(counted_again.error());
    }
    if (auto sent = state_->send(entry, snapshot, commit); sent) {
      ++resumed;
    } else {
      // One that cannot go on holds up no other, and is kept again rather than marked for ever.
      log::error("vault.release_not_resumed",
                 {{"entry", entry.id}, {"error", sent.error().text()}, {"mend", "doorward quarantine release"}});
      const std::scoped_lock held(state_->mutex);
      (void)state_->tables->change(entry.id, State::releasing, State::kept, state_->clock.now());
    }
  }
  return resumed;
}

Result<void> Vault::remove(std::string_view id) {
  const std::scoped_lock held(state_->mutex);
  auto entry = state_->show(id);
  if (!entry) return std::unexpected(entry.error());
  if (entry->state != State::kept && entry->state != State::released) return too_late(*entry);
  if (auto erased = state_->erase({std::string(id)}, State::deleted); !erased) return erased;
  if (auto settled = state_->settle(); !settled) return settled;
  counted("deleted").add();
  log::info("vault.deleted", {{"entry", entry->id}, {"mail", entry->mail}});
  return {};
}

Result<size_t> Vault::sweep() {
  constexpr std::chrono::milliseconds kRest{2};  // between steps, for whoever waits
  size_t expired = 0;
  for (;;) {
    const std::scoped_lock held(state_->mutex);
    auto due = state_->tables->due(state_->clock.now(), kSweptAtOnce);
    if (!due) return std::unexpected(due.error());
    if (due->empty()) break;
    if (auto erased = state_->erase(*due, State::expired); !erased) return std::unexpected(erased.error());
    expired += due->size();
  }
  counted("expired").add(expired);
  if (expired > 0) log::info("vault.expired", {{"entries", expired}});
  {
    const std::scoped_lock held(state_->mutex);
    auto forgotten = state_->tables->forget_ended(state_->clock.now() - state_->options.forget_after);
    if (!forgotten) return std::unexpected(forgotten.error());
  }
  for (bool more = true; more;) {
    {
      const std::scoped_lock held(state_->mutex);
      auto cleaned = state_->bodies->clean(*state_->tables);
      if (!cleaned) return std::unexpected(cleaned.error());
      more = *cleaned;
    }
    if (more) std::this_thread::sleep_for(kRest);
  }
  const std::scoped_lock held(state_->mutex);
  if (!state_->unsettled) return expired;
  if (auto settled = state_->settle(); !settled) return std::unexpected(settled.error());
  return expired;
}

bool Vault::has_room(uint64_t octets) const { return state_->bodies->has_room(octets); }
uint64_t Vault::disk_octets() const { return state_->bodies->disk_octets(); }

Result<uint64_t> Vault::count(State state) {
  const std::scoped_lock held(state_->mutex);
  return state_->tables->count(state);
}

}  // namespace doorward::vault
