#include "centre/reporters.h"

#include <algorithm>
#include <array>
#include <utility>

#include "centre/secret.h"

namespace doorward::centre {
namespace {

constexpr std::array kMigrations{store::Migration{1, R"(
CREATE TABLE reporters (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  token_hash TEXT NOT NULL UNIQUE,
  trusted INTEGER NOT NULL,
  confirmed REAL NOT NULL DEFAULT 0,
  contested REAL NOT NULL DEFAULT 0,
  enrolled INTEGER NOT NULL,
  heard INTEGER NOT NULL DEFAULT 0
))"}};

constexpr size_t kLongestName = 100;

int64_t seconds_of(SystemTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName &&
         std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7F && c != '"' && c != '\\'; });
}

}  // namespace

bool Allowance::take(double count, SteadyTime now) {
  if (at_) {
    const double passed = std::chrono::duration<double>(now - *at_).count();
    left_ = std::min(10 * a_second_, left_ + std::max(0.0, passed) * a_second_);
  }
  at_ = now;
  if (left_ < count) return false;
  left_ -= count;
  return true;
}

bool Reporter::may_ask(size_t questions, SteadyTime now) {
  const std::lock_guard guard(lock_);
  heard_ = true;
  return questions_.take(static_cast<double>(questions), now);
}

bool Reporter::may_report(size_t reports, SteadyTime now) {
  const std::lock_guard guard(lock_);
  heard_ = true;
  return reports_.take(static_cast<double>(reports), now);
}

bool Reporter::was_heard() {
  const std::lock_guard guard(lock_);
  return std::exchange(heard_, false);
}

Result<std::unique_ptr<Reporters>> Reporters::open(const std::string& path, ReporterLimits limits) {
  auto database = store::Database::open(path);
  if (!database) return std::unexpected(database.error());
  if (auto done = store::migrate(**database, "centre", kMigrations); !done) return std::unexpected(done.error());
  std::unique_ptr<Reporters> reporters(new Reporters(std::move(*database), limits));
  if (auto read = reporters->refresh(); !read) return std::unexpected(read.error());
  return reporters;
}

Result<std::string> Reporters::enrol(const std::string& name, bool trusted, SystemTime now) {
  if (!is_name(name)) return fail("a reporter's name has 1 to 100 letters without blanks, such as its host name", name);
  std::string token = new_secret();
  {
    const std::lock_guard guard(database_lock_);
    auto insert = database_->prepare(
        "INSERT INTO reporters (name, token_hash, trusted, enrolled) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (name) DO NOTHING RETURNING number");
    if (!insert) return std::unexpected(insert.error());
    insert->bind(1, name).bind(2, token_hash(token)).bind(3, int64_t{trusted}).bind(4, seconds_of(now));
    auto made = insert->step();
    if (!made) return std::unexpected(made.error());
    if (!*made) return fail("a reporter of that name is enrolled already; revoke it first for a new token", name);
    while (*made) {
      made = insert->step();
      if (!made) return std::unexpected(made.error());
    }
  }
  if (auto read = refresh(); !read) return std::unexpected(read.error());
  return token;
}

Result<void> Reporters::expect_one(std::string_view sql, const std::string& name, std::optional<int64_t> value) {
  {
    const std::lock_guard guard(database_lock_);
    auto change = database_->prepare(sql);
    if (!change) return std::unexpected(change.error());
    change->bind(1, name);
    if (value) change->bind(2, *value);
    bool any = false;
    for (;;) {
      auto row = change->step();
      if (!row) return std::unexpected(row.error());
      if (!*row) break;
      any = true;
    }
    if (!any) return fail("no reporter of that name is enrolled", name);
  }
  return refresh();
}

Result<void> Reporters::trust(const std::string& name, bool trusted) {
  return expect_one("UPDATE reporters SET trusted = $2 WHERE name = $1 RETURNING number", name, int64_t{trusted});
}

Result<void> Reporters::revoke(const std::string& name) {
  return expect_one("DELETE FROM reporters WHERE name = $1 RETURNING number", name, std::nullopt);
}

Result<std::vector<Reporters::Entry>> Reporters::list() {
  const std::lock_guard guard(database_lock_);
  auto select =
      database_->prepare("SELECT name, trusted, confirmed, contested, enrolled, heard FROM reporters ORDER BY name");
  if (!select) return std::unexpected(select.error());
  std::vector<Entry> entries;
  for (;;) {
    auto row = select->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return entries;
    entries.push_back({select->text(0), select->integer(1) != 0, select->real(2), select->real(3),
                       SystemTime(std::chrono::seconds(select->integer(4))),
                       SystemTime(std::chrono::seconds(select->integer(5)))});
  }
}

std::shared_ptr<Reporter> Reporters::find(std::string_view token, SteadyTime now) {
  const std::string hash = token_hash(token);
  const auto known = [&]() -> std::shared_ptr<Reporter> {
    const auto found = by_token_.find(hash);
    return found == by_token_.end() ? nullptr : found->second;
  };
  {
    const std::lock_guard guard(lock_);
    auto found = known();
    if (found != nullptr || (refreshed_ && now < *refreshed_ + std::chrono::seconds(1))) return found;
    refreshed_ = now;
  }
  if (!refresh()) return nullptr;
  const std::lock_guard guard(lock_);
  return known();
}

std::vector<std::shared_ptr<Reporter>> Reporters::all() {
  const std::lock_guard guard(lock_);
  std::vector<std::shared_ptr<Reporter>> reporters;
  reporters.reserve(by_token_.size());
  for (const auto& [hash, reporter] : by_token_) reporters.push_back(reporter);
  return reporters;
}

Result<void> Reporters::refresh() {
  std::unordered_map<std::string, std::shared_ptr<Reporter>> known, next;
  {
    const std::lock_guard guard(lock_);
    known = by_token_;
  }
  {
    const std::lock_guard guard(database_lock_);
    auto select = database_->prepare("SELECT number, name, token_hash, trusted, confirmed, contested FROM reporters");
    if (!select) return std::unexpected(select.error());
    for (;;) {
      auto row = select->step();
      if (!row) return std::unexpected(row.error());
      if (!*row) break;
      const bool trusted = select->integer(3) != 0;
      auto& reporter = next[select->text(2)];
      if (const auto present = known.find(select->text(2)); present != known.end()) {
        reporter = present->second;  // with its record of now, which is newer than the stored one
        reporter->with_record([trusted](TrackRecord& record) { record.set_trusted(trusted); });
      } else {
        reporter = std::make_shared<Reporter>(static_cast<uint64_t>(select->integer(0)), select->text(1), trusted,
                                              select->real(4), select->real(5), limits_);
      }
    }
  }
  const std::lock_guard guard(lock_);
  by_token_ = std::move(next);
  return {};
}

Result<void> Reporters::save(SystemTime now) {
  const auto reporters = all();
  const std::lock_guard guard(database_lock_);
  return database_->transaction([&]() -> Result<void> {
    auto update = database_->prepare(
        "UPDATE reporters SET confirmed = $2, contested = $3, heard = CASE WHEN $4 > 0 THEN $4 ELSE heard END "
        "WHERE number = $1");
    if (!update) return std::unexpected(update.error());
    for (const auto& reporter : reporters) {
      const auto [confirmed, contested] = reporter->with_record(
          [](const TrackRecord& record) { return std::pair(record.confirmed(), record.contested()); });
      update->bind(1, static_cast<int64_t>(reporter->number())).bind(2, confirmed).bind(3, contested);
      update->bind(4, reporter->was_heard() ? seconds_of(now) : 0);
      if (auto done = update->step(); !done) return std::unexpected(done.error());
    }
    return {};
  });
}

}  // namespace doorward::centre
