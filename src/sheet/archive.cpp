#include "sheet/archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "base/guarded.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/database.h"

namespace doorward::sheet {
namespace {

// "sheets_20260131": the table of the (UTC) day that an id was made on.
std::string table_of(SystemTime time) {
  const std::time_t seconds = time.time_since_epoch().count() / 1000;
  std::tm broken{};
  gmtime_r(&seconds, &broken);
  char text[32];
  std::strftime(text, sizeof text, "sheets_%Y%m%d", &broken);
  return text;
}

metrics::Counter& written() {
  static auto& counter = metrics::counter("doorward_sheets_written_total", "Score sheets stored.");
  return counter;
}

metrics::Counter& lost() {
  static auto& counter = metrics::counter("doorward_sheets_lost_total", "Score sheets that could not be stored.");
  return counter;
}

std::string upper(std::string_view id) {
  std::string text(id);
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

}  // namespace

struct Archive::State {
  Options options;
  const Clock& clock;
  std::unique_ptr<store::Database> database;

  std::mutex lock;
  std::condition_variable wake, idle;
  std::vector<ScoreSheet> waiting;
  size_t octets = 0;              // of what waits and what is being written
  bool full = false;              // the last one was dropped
  uint64_t added = 0, ended = 0;  // sheets taken in; written or failed
  bool stopping = false, hurry = false;

  // The writer's own.
  std::optional<store::Statement> insert;
  std::string insert_table;
  bool failing = false;
  std::thread writer;

  State(Options o, const Clock& c) : options(std::move(o)), clock(c) {}

  void run() {
    for (;;) {
      std::vector<ScoreSheet> batch;
      size_t batch_octets = 0;
      bool last = false;
      {
        std::unique_lock guard(lock);
        wake.wait_for(guard, options.batch_every, [this] { return stopping || hurry || waiting.size() >= 2000; });
        hurry = false;
        last = stopping;
        batch.swap(waiting);
        batch_octets = octets;
      }
      if (!batch.empty() && !guarded("archive", [&] { write(batch); })) forget(batch);
      const size_t count = batch.size();
      batch.clear();
      {
        const std::lock_guard guard(lock);
        octets -= batch_octets;
        ended += count;
        if (last && waiting.empty()) return;
      }
      idle.notify_all();
    }
  }

  void write(const std::vector<ScoreSheet>& batch) {
    const auto done = database->transaction([&]() -> Result<void> {
      for (const auto& sheet : batch) {
        if (auto put = write_one(sheet); !put) return put;
      }
      return {};
    });
    if (!done) {
      forget(batch);
      if (!failing) log::error("sheet.write_failed", {{"error", done.error().text()}, {"lost", batch.size()}});
      failing = true;
      return;
    }
    if (failing) log::info("sheet.write_recovered");
    failing = false;
    written().add(batch.size());
  }

  // The batch is lost, and what was prepared for it: its table may have been rolled back with the transaction.
  void forget(const std::vector<ScoreSheet>& batch) {
    insert.reset();
    insert_table.clear();
    lost().add(batch.size());
  }

  Result<void> write_one(const ScoreSheet& sheet) {
    const auto table = table_of(is_id(sheet.id) ? id_time(sheet.id) : sheet.time);
    if (table != insert_table) {
      if (auto opened = open_table(table); !opened) return opened;
    }
    const auto record = to_json(sheet);
    insert->bind(1, sheet.id).bind(2, record);
    if (auto stepped = insert->step(); !stepped) return std::unexpected(stepped.error());
    return {};
  }

  Result<void> open_table(const std::string& table) {
    insert.reset();
    insert_table.clear();
    if (auto made = database->execute(fmt::format(
            "CREATE TABLE IF NOT EXISTS {} (id TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID", table));
        !made) {
      return made;
    }
    if (auto expired = expire(); !expired) return expired;
    auto statement = database->prepare(fmt::format(
        "INSERT INTO {} (id, record) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET record = excluded.record", table));
    if (!statement) return std::unexpected(statement.error());
    insert.emplace(std::move(*statement));
    insert_table = table;
    return {};
  }

  Result<void> expire() {
    const auto oldest = table_of(clock.now() - std::chrono::days(options.keep_days));
    std::vector<std::string> old;
    {
      auto tables = database->prepare(
          "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'sheets\\_%' ESCAPE '\\'");
      if (!tables) return std::unexpected(tables.error());
      for (;;) {
        const auto row = tables->step();
        if (!row) return std::unexpected(row.error());
        if (!*row) break;
        if (auto name = tables->text(0); name < oldest) old.push_back(std::move(name));
      }
    }
    for (const auto& table : old) {
      if (auto dropped = database->execute("DROP TABLE IF EXISTS " + table); !dropped) return dropped;
      log::info("sheet.day_expired", {{"table", table}});
    }
    return {};
  }
};

Archive::Archive(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Archive>> Archive::open(Options options, const Clock& clock) {
  auto state = std::make_unique<State>(std::move(options), clock);
  auto database = store::Database::open(state->options.path);
  if (!database) return std::unexpected(database.error());
  state->database = std::move(*database);
  // A sheet may be lost in a crash (DESIGN §3, Threads), so that writing it need not wait for the disk.
  if (auto set = state->database->execute("PRAGMA synchronous = NORMAL"); !set) return std::unexpected(set.error());
  state->writer = std::thread([raw = state.get()] { raw->run(); });
  return std::unique_ptr<Archive>(new Archive(std::move(state)));
}

Archive::~Archive() {
  {
    const std::lock_guard guard(state_->lock);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  state_->writer.join();
}

void Archive::add(ScoreSheet sheet) {
  const size_t size = footprint(sheet);
  bool wake = false, newly_full = false;
  {
    const std::lock_guard guard(state_->lock);
    const bool full =
        state_->waiting.size() >= state_->options.most_waiting || state_->octets + size > state_->options.most_octets;
    newly_full = full && !std::exchange(state_->full, full);
    if (!full) {
      state_->waiting.push_back(std::move(sheet));
      state_->octets += size;
      ++state_->added;
      wake = state_->waiting.size() == 2000;
    }
    if (full) lost().add();
  }
  if (wake) state_->wake.notify_one();
  if (newly_full) log::error("sheet.queue_full", {{"mend", "the disk of the score sheets does not keep up"}});
}

void Archive::flush() {
  std::unique_lock guard(state_->lock);
  const auto target = state_->added;
  state_->hurry = true;
  state_->wake.notify_one();
  state_->idle.wait(guard, [&] { return state_->ended >= target; });
}

Result<ScoreSheet> Archive::find(const std::string& path, std::string_view id) {
  if (!is_id(id)) return fail(fmt::format("'{}' is no reference: one has 26 letters and digits, as in [ref 01J…]", id));
  auto database = store::Database::open(path);
  if (!database) return std::unexpected(database.error());
  const auto wanted = upper(id);
  const auto table = table_of(id_time(wanted));
  auto exists = (*database)->prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1");
  if (!exists) return std::unexpected(exists.error());
  exists->bind(1, table);
  if (const auto row = exists->step(); !row || !*row) {
    return fail(fmt::format("no score sheet {}: none of its day are kept (any more)", wanted), path);
  }
  auto select = (*database)->prepare(fmt::format("SELECT record FROM {} WHERE id = $1", table));
  if (!select) return std::unexpected(select.error());
  select->bind(1, wanted);
  const auto row = select->step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return fail(fmt::format("no score sheet {}", wanted), path);
  return from_json(select->text(0));
}

}  // namespace doorward::sheet
