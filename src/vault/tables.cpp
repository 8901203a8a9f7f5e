#include "vault/tables.h"

#include <fmt/format.h>

#include <array>

#include "mail/ascii.h"
#include "mail/wildcard.h"

namespace doorward::vault {
namespace {

constexpr std::array<store::Migration, 2> kMigrations{{{1, R"(
CREATE TABLE vault_bodies (
  id TEXT PRIMARY KEY, segment BIGINT NOT NULL, start BIGINT NOT NULL, head BIGINT NOT NULL, octets BIGINT NOT NULL);
CREATE INDEX vault_bodies_by_segment ON vault_bodies (segment);
CREATE TABLE vault_entries (
  id TEXT PRIMARY KEY, mail TEXT NOT NULL, customer BIGINT NOT NULL, domain BIGINT NOT NULL, domain_name TEXT NOT NULL,
  recipient TEXT NOT NULL, recipient_key TEXT NOT NULL, class TEXT NOT NULL, reason TEXT NOT NULL,
  sender TEXT NOT NULL, subject TEXT NOT NULL, client_ip TEXT NOT NULL, body_type BIGINT NOT NULL,
  smtputf8 BIGINT NOT NULL, require_tls BIGINT NOT NULL, size BIGINT NOT NULL, content TEXT NOT NULL,
  received BIGINT NOT NULL, expires BIGINT NOT NULL, ended BIGINT NOT NULL, state BIGINT NOT NULL,
  releases BIGINT NOT NULL);
CREATE UNIQUE INDEX vault_entries_by_mail ON vault_entries (mail, recipient_key);
CREATE UNIQUE INDEX vault_entries_by_content ON vault_entries (content, recipient_key) WHERE state = 0;
CREATE INDEX vault_entries_by_tenant ON vault_entries (customer, received);
CREATE INDEX vault_entries_by_time ON vault_entries (received);
CREATE INDEX vault_entries_by_end ON vault_entries (state, expires);
CREATE TABLE vault_keys (entry TEXT PRIMARY KEY, body TEXT NOT NULL, secret TEXT NOT NULL);
CREATE INDEX vault_keys_by_body ON vault_keys (body);
)"},
                                                       // Not unique: an entry whose release fails is kept again, and
                                                       // nothing may stand in its way.
                                                       {2, R"(
DROP INDEX vault_entries_by_content;
CREATE INDEX vault_entries_by_content ON vault_entries (content, recipient_key) WHERE state < 2;
)"}}};

constexpr std::string_view kColumns =
    "id, mail, customer, domain, recipient, class, reason, sender, subject, client_ip, body_type, smtputf8, "
    "require_tls, size, received, expires, ended, state, releases";

int64_t number(SystemTime time) { return time.time_since_epoch().count(); }
int64_t number(uint64_t value) { return static_cast<int64_t>(value); }
int64_t number(State state) { return static_cast<int64_t>(state); }
SystemTime time_of(int64_t number) { return SystemTime(std::chrono::milliseconds(number)); }

std::string hex(std::string_view octets) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : octets) {
    const auto value = static_cast<unsigned char>(c);
    out += kDigits[value >> 4U];
    out += kDigits[value & 15U];
  }
  return out;
}

Entry entry_of(const store::Statement& row) {
  Entry entry;
  entry.id = row.text(0);
  entry.mail = row.text(1);
  entry.customer = static_cast<uint64_t>(row.integer(2));
  entry.domain = static_cast<uint64_t>(row.integer(3));
  entry.recipient = row.text(4);
  entry.klass = sheet::class_of(row.text(5)).value_or(sheet::Class::spam);
  entry.reason = row.text(6);
  entry.sender = row.text(7);
  entry.subject = row.text(8);
  entry.client_ip = row.text(9);
  entry.body = static_cast<mail::Body>(row.integer(10));
  entry.smtputf8 = row.integer(11) != 0;
  entry.require_tls = row.integer(12) != 0;
  entry.size = static_cast<uint64_t>(row.integer(13));
  entry.received = time_of(row.integer(14));
  entry.expires = time_of(row.integer(15));
  entry.ended = time_of(row.integer(16));
  entry.state = static_cast<State>(row.integer(17));
  entry.releases = static_cast<unsigned>(row.integer(18));
  return entry;
}

journal::Place place_of(const store::Statement& row, int column) {
  return {.segment = static_cast<uint64_t>(row.integer(column)),
          .offset = static_cast<uint64_t>(row.integer(column + 1)),
          .head = static_cast<uint32_t>(row.integer(column + 2)),
          .body = static_cast<uint64_t>(row.integer(column + 3))};
}

bool contains(std::string_view text, std::string_view part) {
  return part.empty() || mail::lowered(text).find(mail::lowered(part)) != std::string::npos;
}

// What SQL is not asked for: wildcards, and case.
bool matches(const Entry& entry, const Filter& filter) {
  if (!filter.recipient.empty() && !mail::wildcard_match_ignoring_case(filter.recipient, entry.recipient)) return false;
  if (filter.sender == "<>") {
    if (!entry.sender.empty()) return false;
  } else if (!filter.sender.empty() && !mail::wildcard_match_ignoring_case(filter.sender, entry.sender)) {
    return false;
  }
  return contains(entry.subject, filter.subject);
}

// One statement that is stepped once.
Result<bool> once(Result<store::Statement>& statement) {
  if (!statement) return std::unexpected(statement.error());
  return statement->step();
}

}  // namespace

std::string_view name(State state) {
  constexpr std::array<std::string_view, 5> kNames{"kept", "releasing", "released", "deleted", "expired"};
  return kNames.at(static_cast<size_t>(state));
}

std::optional<State> state_of(std::string_view text) {
  for (const State state : {State::kept, State::releasing, State::released, State::deleted, State::expired}) {
    if (name(state) == text) return state;
  }
  return {};
}

Result<std::unique_ptr<Tables>> Tables::open(const std::string& path) {
  auto database = store::Database::open(path);
  if (!database) return std::unexpected(database.error());
  if (auto set = (*database)->execute("PRAGMA secure_delete = ON"); !set) return std::unexpected(set.error());
  if (auto done = store::migrate(**database, "vault", kMigrations); !done) return std::unexpected(done.error());
  return std::unique_ptr<Tables>(new Tables(std::move(*database)));
}

Result<std::vector<Body>> Tables::read_bodies(std::string_view sql, std::optional<uint64_t> segment) {
  auto select = database_->prepare(sql);
  if (!select) return std::unexpected(select.error());
  if (segment) select->bind(1, number(*segment));
  std::vector<Body> bodies;
  for (;;) {
    auto row = select->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return bodies;
    bodies.push_back({select->text(0), place_of(*select, 1)});
  }
}

Result<std::vector<Body>> Tables::bodies() {
  return read_bodies("SELECT id, segment, start, head, octets FROM vault_bodies", {});
}

Result<std::vector<Body>> Tables::bodies_of_segment(uint64_t segment) {
  return read_bodies("SELECT id, segment, start, head, octets FROM vault_bodies WHERE segment = $1", segment);
}

Result<void> Tables::add_body(const Body& body) {
  auto insert =
      database_->prepare("INSERT INTO vault_bodies (id, segment, start, head, octets) VALUES ($1, $2, $3, $4, $5)");
  if (!insert) return std::unexpected(insert.error());
  insert->bind(1, body.id)
      .bind(2, number(body.place.segment))
      .bind(3, number(body.place.offset))
      .bind(4, int64_t{body.place.head})
      .bind(5, number(body.place.body));
  if (auto done = once(insert); !done) return std::unexpected(done.error());
  return {};
}

Result<void> Tables::move_body(const Body& body) {
  auto update = database_->prepare("UPDATE vault_bodies SET segment = $2, start = $3 WHERE id = $1");
  if (!update) return std::unexpected(update.error());
  update->bind(1, body.id).bind(2, number(body.place.segment)).bind(3, number(body.place.offset));
  if (auto done = once(update); !done) return std::unexpected(done.error());
  return {};
}

Result<std::vector<Body>> Tables::take_orphans() {
  return read_bodies(
      "DELETE FROM vault_bodies WHERE NOT EXISTS (SELECT 1 FROM vault_keys WHERE body = vault_bodies.id) "
      "RETURNING id, segment, start, head, octets",
      {});
}

Result<std::optional<Tables::Same>> Tables::find_same(std::string_view mail, std::string_view recipient_key,
                                                      std::string_view content) {
  auto select = database_->prepare(
      "SELECT id, 1 FROM vault_entries WHERE mail = $1 AND recipient_key = $2 UNION ALL "
      "SELECT id, 0 FROM vault_entries WHERE content = $3 AND recipient_key = $2 AND state < 2 LIMIT 1");
  if (!select) return std::unexpected(select.error());
  auto row = select->bind(1, mail).bind(2, recipient_key).bind(3, hex(content)).step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  return Same{.id = select->text(0), .of_this_mail = select->integer(1) != 0};
}

Result<void> Tables::keep_until(std::string_view id, SystemTime expires) {
  auto update = database_->prepare("UPDATE vault_entries SET expires = $2 WHERE id = $1 AND expires < $2");
  if (update) update->bind(1, id).bind(2, number(expires));
  if (auto done = once(update); !done) return std::unexpected(done.error());
  return {};
}

Result<void> Tables::stand_for_nothing(std::string_view id) {
  auto update = database_->prepare("UPDATE vault_entries SET content = '' WHERE id = $1");
  if (update) update->bind(1, id);
  if (auto done = once(update); !done) return std::unexpected(done.error());
  return {};
}

Result<void> Tables::add(const Entry& entry, std::string_view recipient_key, std::string_view domain_name,
                         std::string_view content, std::string_view body, std::string_view key) {
  auto insert = database_->prepare(
      fmt::format("INSERT INTO vault_entries ({}, recipient_key, domain_name, content) VALUES "
                  "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, 0, 0, $17, $18, $19)",
                  kColumns));
  if (!insert) return std::unexpected(insert.error());
  insert->bind(1, entry.id).bind(2, entry.mail).bind(3, number(entry.customer)).bind(4, number(entry.domain));
  insert->bind(5, entry.recipient).bind(6, sheet::name(entry.klass)).bind(7, entry.reason).bind(8, entry.sender);
  insert->bind(9, entry.subject).bind(10, entry.client_ip).bind(11, static_cast<int64_t>(entry.body));
  insert->bind(12, int64_t{entry.smtputf8}).bind(13, int64_t{entry.require_tls}).bind(14, number(entry.size));
  insert->bind(15, number(entry.received)).bind(16, number(entry.expires));
  insert->bind(17, recipient_key).bind(18, domain_name).bind(19, hex(content));
  if (auto done = once(insert); !done) return std::unexpected(done.error());
  auto secret = database_->prepare("INSERT INTO vault_keys (entry, body, secret) VALUES ($1, $2, $3)");
  if (!secret) return std::unexpected(secret.error());
  secret->bind(1, entry.id).bind(2, body).bind_blob(3, key);
  if (auto done = once(secret); !done) return std::unexpected(done.error());
  return {};
}

Result<std::optional<Entry>> Tables::find(std::string_view id) {
  auto select = database_->prepare(fmt::format("SELECT {} FROM vault_entries WHERE id = $1", kColumns));
  if (!select) return std::unexpected(select.error());
  auto row = select->bind(1, id).step();
  if (!row) return std::unexpected(row.error());
  return *row ? std::optional(entry_of(*select)) : std::nullopt;
}

Result<std::vector<Entry>> Tables::list(const Filter& filter, size_t most) {
  std::string sql = fmt::format("SELECT {} FROM vault_entries WHERE ", kColumns);
  sql += filter.state ? "state = $1" : "state <= $1";
  if (filter.customer) sql += " AND customer = $2";
  if (!filter.domain.empty()) sql += " AND domain_name = $3";
  if (!filter.mail.empty()) sql += " AND mail = $4";
  if (filter.klass) sql += " AND class = $5";
  if (filter.since) sql += " AND received >= $6";
  if (filter.until) sql += " AND received < $7";
  sql += " ORDER BY received DESC, id DESC";
  auto select = database_->prepare(sql);
  if (!select) return std::unexpected(select.error());
  select->bind(1, number(filter.state.value_or(State::releasing)));
  if (filter.customer) select->bind(2, number(*filter.customer));
  if (!filter.domain.empty()) select->bind(3, filter.domain);
  if (!filter.mail.empty()) select->bind(4, filter.mail);
  if (filter.klass) select->bind(5, sheet::name(*filter.klass));
  if (filter.since) select->bind(6, number(*filter.since));
  if (filter.until) select->bind(7, number(*filter.until));
  std::vector<Entry> entries;
  while (entries.size() < most) {
    auto row = select->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    if (Entry entry = entry_of(*select); matches(entry, filter)) entries.push_back(std::move(entry));
  }
  return entries;
}

Result<std::optional<Tables::Key>> Tables::key_of(std::string_view id) {
  auto select = database_->prepare(
      "SELECT b.id, b.segment, b.start, b.head, b.octets, k.secret FROM vault_keys k "
      "JOIN vault_bodies b ON b.id = k.body WHERE k.entry = $1");
  if (!select) return std::unexpected(select.error());
  auto row = select->bind(1, id).step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  return Key{{select->text(0), place_of(*select, 1)}, select->text(5)};
}

Result<bool> Tables::change(std::string_view id, State from, State to, SystemTime now) {
  auto update = database_->prepare(
      "UPDATE vault_entries SET state = $3, releases = releases + $4, ended = $5 WHERE id = $1 AND state = $2 "
      "RETURNING id");
  if (!update) return std::unexpected(update.error());
  update->bind(1, id)
      .bind(2, number(from))
      .bind(3, number(to))
      .bind(4, int64_t{to == State::releasing} - int64_t{to == State::kept});
  update->bind(5, to == State::released ? number(now) : 0);
  auto row = update->step();
  if (!row) return std::unexpected(row.error());
  if (*row) {
    if (auto done = update->step(); !done) return std::unexpected(done.error());  // to its end: only then it is stored
    return true;
  }
  return false;
}

Result<bool> Tables::erase(std::string_view id, State to, SystemTime now) {
  auto update = database_->prepare(
      "UPDATE vault_entries SET state = $2, ended = $3, sender = '', subject = '', client_ip = '', reason = '', "
      "content = '' WHERE id = $1 AND (state = 0 OR state = 2) RETURNING id");
  if (!update) return std::unexpected(update.error());
  auto row = update->bind(1, id).bind(2, number(to)).bind(3, number(now)).step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return false;
  if (auto done = update->step(); !done) return std::unexpected(done.error());
  auto remove = database_->prepare("DELETE FROM vault_keys WHERE entry = $1");
  if (remove) remove->bind(1, id);
  if (auto done = once(remove); !done) return std::unexpected(done.error());
  return true;
}

Result<std::vector<std::string>> Tables::due(SystemTime now, size_t most) {
  auto select = database_->prepare(
      "SELECT id FROM vault_entries WHERE (state = 0 OR state = 2) AND expires <= $1 ORDER BY expires LIMIT $2");
  if (!select) return std::unexpected(select.error());
  select->bind(1, number(now)).bind(2, static_cast<int64_t>(most));
  std::vector<std::string> ids;
  for (;;) {
    auto row = select->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return ids;
    ids.push_back(select->text(0));
  }
}

Result<void> Tables::forget_ended(SystemTime before) {
  auto remove = database_->prepare("DELETE FROM vault_entries WHERE (state = 3 OR state = 4) AND ended < $1");
  if (remove) remove->bind(1, number(before));
  if (auto done = once(remove); !done) return std::unexpected(done.error());
  return {};
}

Result<void> Tables::settle() {
  auto checkpoint = database_->prepare("PRAGMA wal_checkpoint(TRUNCATE)");
  auto row = once(checkpoint);
  if (!row) return std::unexpected(row.error());
  if (*row && checkpoint->integer(0) != 0) return fail("the write-ahead log is in use by another process");
  return {};
}

Result<uint64_t> Tables::count(State state) {
  auto select = database_->prepare("SELECT count(*) FROM vault_entries WHERE state = $1");
  if (select) select->bind(1, number(state));
  auto row = once(select);
  if (!row) return std::unexpected(row.error());
  return static_cast<uint64_t>(select->integer(0));
}

}  // namespace doorward::vault
