#include "delivery/recipient_memory.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/guarded.h"
#include "base/log.h"
#include "store/database.h"

namespace doorward::delivery {
namespace {

constexpr std::array<store::Migration, 1> kMigrations{{
    {1,
     "CREATE TABLE recipients_known (backend BIGINT NOT NULL, address TEXT NOT NULL, asked BIGINT NOT NULL, "
     "PRIMARY KEY (backend, address));"
     "CREATE TABLE recipients_probed (backend BIGINT NOT NULL, domain TEXT NOT NULL, everything BIGINT NOT NULL, "
     "asked BIGINT NOT NULL, PRIMARY KEY (backend, domain));"},
}};

using Name = std::pair<uint64_t, std::string>;

struct NameHash {
  size_t operator()(const Name& name) const { return std::hash<std::string>()(name.second) * 31 + name.first; }
};

int64_t number(SystemTime time) { return time.time_since_epoch().count(); }
SystemTime moment(int64_t number) { return SystemTime(std::chrono::milliseconds(number)); }

// Entries with an age, at most so many.
class Bounded {
 public:
  Bounded(std::chrono::seconds keep, size_t most) : keep_(keep), most_(std::max<size_t>(most, 16)) {}

  std::optional<RecipientMemory::Entry> find(const Name& name, SystemTime now) const {
    const auto found = entries_.find(name);
    if (found == entries_.end() || now - found->second.asked >= keep_) return std::nullopt;
    return found->second;
  }
  void put(Name name, RecipientMemory::Entry entry, SystemTime now) {
    if (entries_.size() >= most_ && !entries_.contains(name)) make_room(now);
    entries_[std::move(name)] = std::move(entry);
  }
  bool erase(const Name& name) { return entries_.erase(name) != 0; }

 private:
  void make_room(SystemTime now) {
    std::erase_if(entries_, [&](const auto& each) { return now - each.second.asked >= keep_; });
    const size_t enough = most_ - most_ / 16;
    while (entries_.size() > enough) entries_.erase(entries_.begin());
  }

  std::chrono::seconds keep_;
  size_t most_;
  std::unordered_map<Name, RecipientMemory::Entry, NameHash> entries_;
};

struct Change {
  enum class Kind : uint8_t { known, gone, probed } kind;
  Name name;
  SystemTime asked;
  bool everything = false;
};

}  // namespace

struct RecipientMemory::State {
  RecipientMemoryOptions options;
  const Clock& clock;
  std::unique_ptr<store::Database> database{};

  mutable std::mutex lock{};
  Bounded known, unproven, unknown;
  std::map<Name, Probe> probes{};  // as many as there are protected domains

  std::condition_variable wake{}, idle{};
  std::vector<Change> waiting{};
  uint64_t added = 0, ended = 0;
  bool stopping = false, hurry = false, failing = false;
  std::thread writer{};

  State(RecipientMemoryOptions o, const Clock& c)
      : options(std::move(o)),
        clock(c),
        known(options.keep_known, options.most_known),
        unproven(options.keep_known, options.most_unknown),
        unknown(options.keep_unknown, options.most_unknown) {}

  Result<void> load() {
    if (auto done = store::migrate(*database, "recipients", kMigrations); !done) return done;
    const SystemTime now = clock.now();
    auto old = database->prepare("DELETE FROM recipients_known WHERE asked < $1");
    if (!old) return std::unexpected(old.error());
    if (auto done = old->bind(1, number(now - options.keep_known)).step(); !done) return std::unexpected(done.error());
    auto rows = database->prepare("SELECT backend, address, asked FROM recipients_known ORDER BY asked DESC LIMIT $1");
    if (!rows) return std::unexpected(rows.error());
    rows->bind(1, static_cast<int64_t>(options.most_known));
    for (;;) {
      auto row = rows->step();
      if (!row) return std::unexpected(row.error());
      if (!*row) break;
      known.put({static_cast<uint64_t>(rows->integer(0)), rows->text(1)}, Entry{true, moment(rows->integer(2))}, now);
    }
    auto tried = database->prepare("SELECT backend, domain, everything, asked FROM recipients_probed");
    if (!tried) return std::unexpected(tried.error());
    for (;;) {
      auto row = tried->step();
      if (!row) return std::unexpected(row.error());
      if (!*row) return {};
      probes[{static_cast<uint64_t>(tried->integer(0)), tried->text(1)}] =
          Probe{tried->integer(2) != 0, moment(tried->integer(3))};
    }
  }

  // Under the lock.
  void write_later(Change change) {
    if (waiting.size() >= options.most_waiting) return;
    waiting.push_back(std::move(change));
    ++added;
  }

  void run() {
    for (;;) {
      std::vector<Change> batch;
      bool last = false;
      {
        std::unique_lock guard(lock);
        wake.wait_for(guard, options.write_every, [this] { return stopping || hurry; });
        hurry = false;
        last = stopping;
        batch.swap(waiting);
      }
      if (!batch.empty()) guarded("recipients", [&] { write(batch); });
      {
        const std::lock_guard guard(lock);
        ended += batch.size();
        if (last && waiting.empty()) return;
      }
      idle.notify_all();
    }
  }

  void write(const std::vector<Change>& batch) {
    const auto done = database->transaction([&]() -> Result<void> {
      for (const Change& each : batch)
        if (auto put = write_one(each); !put) return put;
      return {};
    });
    if (!done && !failing) log::error("recipients.write_failed", {{"error", done.error().text()}});
    if (done && failing) log::info("recipients.write_recovered");
    failing = !done;
  }

  Result<void> write_one(const Change& change) {
    static constexpr std::string_view kKnown =
        "INSERT INTO recipients_known (backend, address, asked) VALUES ($1, $2, $3) "
        "ON CONFLICT (backend, address) DO UPDATE SET asked = excluded.asked";
    static constexpr std::string_view kGone = "DELETE FROM recipients_known WHERE backend = $1 AND address = $2";
    static constexpr std::string_view kProbed =
        "INSERT INTO recipients_probed (backend, domain, asked, everything) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (backend, domain) DO UPDATE SET asked = excluded.asked, everything = excluded.everything";
    auto statement = database->prepare(change.kind == Change::Kind::known  ? kKnown
                                       : change.kind == Change::Kind::gone ? kGone
                                                                           : kProbed);
    if (!statement) return std::unexpected(statement.error());
    statement->bind(1, static_cast<int64_t>(change.name.first)).bind(2, change.name.second);
    if (change.kind != Change::Kind::gone) statement->bind(3, number(change.asked));
    if (change.kind == Change::Kind::probed) statement->bind(4, int64_t{change.everything});
    if (auto done = statement->step(); !done) return std::unexpected(done.error());
    return {};
  }
};

RecipientMemory::RecipientMemory(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<RecipientMemory>> RecipientMemory::open(RecipientMemoryOptions options, const Clock& clock) {
  auto state = std::make_unique<State>(std::move(options), clock);
  auto database = store::Database::open(state->options.path);
  if (!database) return std::unexpected(database.error());
  state->database = std::move(*database);
  if (auto loaded = state->load(); !loaded) return std::unexpected(loaded.error());
  state->writer = std::thread([running = state.get()] { running->run(); });
  return std::unique_ptr<RecipientMemory>(new RecipientMemory(std::move(state)));
}

RecipientMemory::~RecipientMemory() {
  {
    const std::lock_guard guard(state_->lock);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  state_->writer.join();
}

std::optional<RecipientMemory::Entry> RecipientMemory::find(uint64_t backend, std::string_view address) const {
  const Name name{backend, address};
  const SystemTime now = state_->clock.now();
  const std::lock_guard guard(state_->lock);
  if (auto found = state_->unknown.find(name, now)) return found;
  if (auto found = state_->known.find(name, now)) return found;
  return state_->unproven.find(name, now);
}

void RecipientMemory::keep_known(uint64_t backend, std::string_view address, bool proven) {
  Name name{backend, address};
  const SystemTime now = state_->clock.now();
  const std::lock_guard guard(state_->lock);
  state_->unknown.erase(name);
  if (proven) state_->write_later(Change{Change::Kind::known, name, now});
  (proven ? state_->known : state_->unproven).put(std::move(name), Entry{true, now}, now);
}

void RecipientMemory::keep_unknown(uint64_t backend, std::string_view address, smtp::Reply refusal) {
  Name name{backend, address};
  const SystemTime now = state_->clock.now();
  const std::lock_guard guard(state_->lock);
  state_->unproven.erase(name);
  if (state_->known.erase(name)) state_->write_later(Change{Change::Kind::gone, name, now});
  state_->unknown.put(std::move(name), Entry{false, now, std::move(refusal)}, now);
}

std::optional<RecipientMemory::Probe> RecipientMemory::probe(uint64_t backend, std::string_view domain) const {
  const std::lock_guard guard(state_->lock);
  const auto found = state_->probes.find({backend, std::string(domain)});
  return found == state_->probes.end() ? std::nullopt : std::optional(found->second);
}

void RecipientMemory::keep_probe(uint64_t backend, std::string_view domain, bool accepts_everything) {
  Name name{backend, domain};
  const SystemTime now = state_->clock.now();
  const std::lock_guard guard(state_->lock);
  state_->write_later(Change{Change::Kind::probed, name, now, accepts_everything});
  state_->probes[std::move(name)] = Probe{accepts_everything, now};
}

void RecipientMemory::flush() {
  std::unique_lock guard(state_->lock);
  const uint64_t until = state_->added;
  state_->hurry = true;
  state_->wake.notify_all();
  state_->idle.wait(guard, [&] { return state_->ended >= until; });
}

}  // namespace doorward::delivery
