#include "report/gathered.h"

#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <charconv>
#include <map>
#include <utility>

#include "base/id.h"

namespace doorward::report {
namespace {

constexpr std::array<store::Migration, 1> kMigrations{{{1, R"(
CREATE TABLE dmarc_reports (id TEXT PRIMARY KEY, domain TEXT NOT NULL, period BIGINT NOT NULL, until BIGINT NOT NULL,
  begun BIGINT NOT NULL, ended BIGINT NOT NULL, published TEXT NOT NULL, addresses TEXT NOT NULL,
  row_count BIGINT NOT NULL, lost BIGINT NOT NULL, attempts BIGINT NOT NULL, next BIGINT NOT NULL,
  done BIGINT NOT NULL);
CREATE UNIQUE INDEX dmarc_reports_open ON dmarc_reports (domain, period) WHERE ended = 0;
CREATE INDEX dmarc_reports_by_domain ON dmarc_reports (domain, period);
CREATE INDEX dmarc_reports_by_end ON dmarc_reports (done, ended);
CREATE TABLE dmarc_rows (report TEXT NOT NULL, key TEXT NOT NULL, count BIGINT NOT NULL, source_ip TEXT NOT NULL,
  disposition TEXT NOT NULL, dkim BIGINT NOT NULL, spf BIGINT NOT NULL, reasons TEXT NOT NULL,
  header_from TEXT NOT NULL, envelope_from TEXT NOT NULL, signatures TEXT NOT NULL, spf_domain TEXT NOT NULL,
  spf_result TEXT NOT NULL, PRIMARY KEY (report, key));
)"}}};

int64_t seconds(SystemTime time) { return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(); }

// Texts of one column: fields and lines. Names of the DNS and our own words have neither blanks nor line ends in them.
std::string line(std::initializer_list<std::string_view> fields) {
  std::string out;
  for (const auto field : fields) {
    if (!out.empty()) out += ' ';
    out += field.empty() ? "-" : field;
  }
  return out + '\n';
}

std::vector<std::vector<std::string>> lines(std::string_view text) {
  std::vector<std::vector<std::string>> out;
  while (!text.empty()) {
    std::string_view one = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    auto& fields = out.emplace_back();
    while (!one.empty()) {
      const std::string_view field = one.substr(0, one.find(' '));
      one.remove_prefix(std::min(one.size(), field.size() + 1));
      fields.emplace_back(field == "-" ? "" : field);
    }
  }
  return out;
}

std::string text_of(const DmarcPublished& published) {
  return line({published.domain, published.p, published.sp, published.np, published.adkim, published.aspf, published.fo,
               published.testing ? "y" : "n"});
}

DmarcPublished published_of(std::string_view text) {
  DmarcPublished published;
  const auto all = lines(text);
  if (all.empty() || all.front().size() != 8) return published;
  const auto& fields = all.front();
  published.domain = fields[0];
  published.p = fields[1];
  published.sp = fields[2];
  published.np = fields[3];
  published.adkim = fields[4];
  published.aspf = fields[5];
  published.fo = fields[6];
  published.testing = fields[7] == "y";
  return published;
}

std::string text_of(const std::vector<ReportAddress>& addresses) {
  std::string out;
  for (const auto& address : addresses) out += line({address.uri, fmt::format("{}", address.limit)});
  return out;
}

std::vector<ReportAddress> addresses_of(std::string_view text) {
  std::vector<ReportAddress> addresses;
  for (const auto& fields : lines(text)) {
    if (fields.size() != 2) continue;
    uint64_t limit = 0;
    std::from_chars(fields[1].data(), fields[1].data() + fields[1].size(), limit);
    addresses.push_back({fields[0], limit});
  }
  return addresses;
}

std::string text_of(const std::vector<DmarcReason>& reasons) {
  std::string out;
  for (const auto& reason : reasons) out += line({reason.type, reason.comment});
  return out;
}

std::string text_of(const std::vector<DmarcSignatureResult>& signatures) {
  std::string out;
  for (const auto& one : signatures) out += line({one.domain, one.selector, one.result});
  return out;
}

// Everything but the count, in few octets.
std::string key_of(const DmarcRecordRow& row, std::string_view reasons, std::string_view signatures) {
  const std::string whole =
      fmt::format("{} {} {} {} {} {} {} {}\n{}\n{}", row.source_ip, row.disposition, row.dkim, row.spf, row.header_from,
                  row.envelope_from, row.spf_domain, row.spf_result, reasons, signatures);
  std::array<unsigned char, 16> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(whole.data()), whole.size(),
                     nullptr, 0);
  std::array<char, 2 * hash.size() + 1> key{};
  sodium_bin2hex(key.data(), key.size(), hash.data(), hash.size());
  return key.data();
}

DmarcRecordRow row_of(const store::Statement& from) {
  DmarcRecordRow row;
  row.count = static_cast<uint64_t>(from.integer(0));
  row.source_ip = from.text(1);
  row.disposition = from.text(2);
  row.dkim = from.integer(3) != 0;
  row.spf = from.integer(4) != 0;
  for (auto& fields : lines(from.text(5))) {
    if (fields.size() == 2) row.reasons.push_back({fields[0], fields[1]});
  }
  row.header_from = from.text(6);
  row.envelope_from = from.text(7);
  for (auto& fields : lines(from.text(8))) {
    if (fields.size() == 3) row.signatures.push_back({fields[0], fields[1], fields[2]});
  }
  row.spf_domain = from.text(9);
  row.spf_result = from.text(10);
  return row;
}

// One statement that is stepped once, without a row.
Result<void> once(Result<store::Statement>& statement) {
  if (!statement) return std::unexpected(statement.error());
  if (auto done = statement->step(); !done) return std::unexpected(done.error());
  return {};
}

}  // namespace

// A report that is being gathered.
struct Gathered::Open {
  std::string id{};  // empty: there is no room for it
  std::string published{}, addresses{};
  uint64_t rows = 0;
};

Result<std::unique_ptr<Gathered>> Gathered::open(GatheredOptions options) {
  auto database = store::Database::open(options.path);
  if (!database) return std::unexpected(database.error());
  std::unique_ptr<Gathered> made(new Gathered(std::move(options)));
  made->database_ = std::move(*database);
  // The last second may be lost in a crash, as of everything that is only counted (DESIGN §3, Threads).
  if (auto set = made->database_->execute("PRAGMA synchronous = NORMAL"); !set) return std::unexpected(set.error());
  if (auto done = store::migrate(*made->database_, "dmarc_gathered", kMigrations); !done) {
    return std::unexpected(done.error());
  }
  return made;
}

Result<uint64_t> Gathered::number(std::string_view sql) {
  auto select = database_->prepare(sql);
  if (!select) return std::unexpected(select.error());
  auto row = select->step();
  if (!row) return std::unexpected(row.error());
  return *row ? static_cast<uint64_t>(select->integer(0)) : 0;
}

Result<void> Gathered::run(std::string_view sql, int64_t value) {
  auto statement = database_->prepare(sql);
  if (statement) statement->bind(1, value);
  return once(statement);
}

Result<void> Gathered::add(std::span<const DmarcObservation> observations) {
  if (observations.empty()) return {};
  return database_->transaction([&]() -> Result<void> {
    auto rows = number("SELECT COALESCE(SUM(row_count), 0) FROM dmarc_reports WHERE done = 0");
    if (!rows) return std::unexpected(rows.error());
    auto reports = number("SELECT COUNT(*) FROM dmarc_reports");
    if (!reports) return std::unexpected(reports.error());
    rows_ = *rows;
    reports_ = *reports;
    std::map<std::string, Open> open;  // of this batch: nobody else writes meanwhile
    for (const auto& one : observations) {
      if (auto added = add_one(one, open); !added) return added;
    }
    return {};
  });
}

Result<void> Gathered::add_one(const DmarcObservation& one, std::map<std::string, Open>& open) {
  auto to = find_open(one, open);
  if (!to) return std::unexpected(to.error());
  if ((*to)->id.empty()) return {};
  std::string published = text_of(one.published), addresses = text_of(one.addresses);
  if (published != (*to)->published || addresses != (*to)->addresses) {
    // Of several policies within a period the last one is told (RFC 9990, "Aggregate Reports").
    auto update = database_->prepare("UPDATE dmarc_reports SET published = $2, addresses = $3 WHERE id = $1");
    if (update) update->bind(1, (*to)->id).bind(2, published).bind(3, addresses);
    if (auto done = once(update); !done) return done;
    (*to)->published = std::move(published);
    (*to)->addresses = std::move(addresses);
  }
  return add_row(one, **to);
}

Result<Gathered::Open*> Gathered::find_open(const DmarcObservation& one, std::map<std::string, Open>& open) {
  const int64_t length = options_.period.count();
  const int64_t period = seconds(one.time) / length * length;
  const auto [place, is_new] = open.try_emplace(fmt::format("{} {}", one.published.domain, period));
  Open& found = place->second;
  if (!is_new) return &found;
  auto select = database_->prepare(
      "SELECT id, published, addresses, row_count FROM dmarc_reports WHERE domain = $1 AND period = $2 AND ended = 0");
  if (!select) return std::unexpected(select.error());
  auto row = select->bind(1, one.published.domain).bind(2, period).step();
  if (!row) return std::unexpected(row.error());
  if (*row) {
    found = {select->text(0), select->text(1), select->text(2), static_cast<uint64_t>(select->integer(3))};
    return &found;
  }
  if (reports_ >= options_.most_reports) return &found;
  if (auto made = make_open(one, period, found); !made) return std::unexpected(made.error());
  return &found;
}

Result<void> Gathered::make_open(const DmarcObservation& one, int64_t period, Open& made) {
  made.id = new_id(one.time);
  made.published = text_of(one.published);
  made.addresses = text_of(one.addresses);
  // Where a part of this period was told already, the report begins after it.
  auto insert = database_->prepare(
      "INSERT INTO dmarc_reports (id, domain, period, until, begun, ended, published, addresses, row_count, lost, "
      "attempts, next, done) SELECT $1, $2, $3, $4, COALESCE(MAX(ended) + 1, $3), 0, $5, $6, 0, 0, 0, 0, 0 "
      "FROM dmarc_reports WHERE domain = $2 AND period = $3 AND ended <> 0");
  if (insert) {
    insert->bind(1, made.id).bind(2, one.published.domain).bind(3, period).bind(4, period + options_.period.count());
    insert->bind(5, made.published).bind(6, made.addresses);
  }
  ++reports_;
  return once(insert);
}

Result<void> Gathered::add_row(const DmarcObservation& one, Open& to) {
  const DmarcRecordRow& row = one.row;
  const std::string reasons = text_of(row.reasons), signatures = text_of(row.signatures);
  const std::string key = key_of(row, reasons, signatures);
  if (!count_up_) {
    auto made =
        database_->prepare("UPDATE dmarc_rows SET count = count + $3 WHERE report = $1 AND key = $2 RETURNING key");
    if (!made) return std::unexpected(made.error());
    count_up_ = std::move(*made);
  }
  auto known = count_up_->bind(1, to.id).bind(2, key).bind(3, static_cast<int64_t>(row.count)).step();
  if (!known) return std::unexpected(known.error());
  if (*known) {
    auto rest = count_up_->step();  // to its end: only then it is stored
    if (!rest) return std::unexpected(rest.error());
    return {};
  }
  if (to.rows >= options_.most_rows || rows_ >= options_.most_rows_in_all) {
    auto lost = database_->prepare("UPDATE dmarc_reports SET lost = lost + 1 WHERE id = $1");
    if (lost) lost->bind(1, to.id);
    return once(lost);
  }
  auto insert = database_->prepare(
      "INSERT INTO dmarc_rows (report, key, count, source_ip, disposition, dkim, spf, reasons, header_from, "
      "envelope_from, signatures, spf_domain, spf_result) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, "
      "$13)");
  if (insert) {
    insert->bind(1, to.id).bind(2, key).bind(3, static_cast<int64_t>(row.count)).bind(4, row.source_ip);
    insert->bind(5, row.disposition).bind(6, int64_t{row.dkim}).bind(7, int64_t{row.spf}).bind(8, reasons);
    insert->bind(9, row.header_from).bind(10, row.envelope_from).bind(11, signatures).bind(12, row.spf_domain);
    insert->bind(13, row.spf_result);
  }
  if (auto done = once(insert); !done) return done;
  ++to.rows;
  ++rows_;
  auto counted = database_->prepare("UPDATE dmarc_reports SET row_count = $2 WHERE id = $1");
  if (counted) counted->bind(1, to.id).bind(2, static_cast<int64_t>(to.rows));
  return once(counted);
}

Result<void> Gathered::close(SystemTime now, bool all) {
  const std::string_view over = all ? "" : " AND until <= $1";
  return run(fmt::format("UPDATE dmarc_reports SET ended = MAX(begun, MIN(until, $1) - 1) WHERE ended = 0{}", over),
             seconds(now));
}

Result<std::vector<std::string>> Gathered::due(SystemTime now, size_t most) {
  auto select = database_->prepare(
      "SELECT id FROM dmarc_reports WHERE done = 0 AND ended <> 0 AND next <= $1 ORDER BY ended, id LIMIT $2");
  if (!select) return std::unexpected(select.error());
  select->bind(1, seconds(now)).bind(2, static_cast<int64_t>(most));
  std::vector<std::string> ids;
  for (;;) {
    auto row = select->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return ids;
    ids.push_back(select->text(0));
  }
}

Result<std::optional<DueReport>> Gathered::read(const std::string& id) {
  auto head = database_->prepare(
      "SELECT begun, ended, published, addresses, lost, attempts FROM dmarc_reports WHERE id = $1 AND done = 0");
  if (!head) return std::unexpected(head.error());
  auto there = head->bind(1, id).step();
  if (!there) return std::unexpected(there.error());
  if (!*there) return std::nullopt;
  DueReport due;
  due.report.id = id;
  due.report.begin = head->integer(0);
  due.report.end = head->integer(1);
  due.report.published = published_of(head->text(2));
  due.addresses = addresses_of(head->text(3));
  due.lost = static_cast<uint64_t>(head->integer(4));
  due.attempts = static_cast<unsigned>(head->integer(5));
  auto select = database_->prepare(
      "SELECT count, source_ip, disposition, dkim, spf, reasons, header_from, envelope_from, signatures, spf_domain, "
      "spf_result FROM dmarc_rows WHERE report = $1 ORDER BY source_ip, key");
  if (!select) return std::unexpected(select.error());
  select->bind(1, id);
  for (;;) {
    auto row = select->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return due;
    due.report.rows.push_back(row_of(*select));
  }
}

Result<void> Gathered::done(const std::string& id) {
  return database_->transaction([&]() -> Result<void> {
    for (const std::string_view sql : {"UPDATE dmarc_reports SET done = 1, row_count = 0 WHERE id = $1",
                                       "DELETE FROM dmarc_rows WHERE report = $1"}) {
      auto statement = database_->prepare(sql);
      if (statement) statement->bind(1, id);
      if (auto ran = once(statement); !ran) return ran;
    }
    return {};
  });
}

Result<void> Gathered::try_again(const std::string& id, SystemTime next) {
  auto update = database_->prepare("UPDATE dmarc_reports SET attempts = attempts + 1, next = $2 WHERE id = $1");
  if (update) update->bind(1, id).bind(2, seconds(next));
  return once(update);
}

Result<uint64_t> Gathered::expire(SystemTime now) {
  uint64_t dropped = 0;
  const int64_t oldest = seconds(now - options_.give_up);
  auto done = database_->transaction([&]() -> Result<void> {
    auto count = database_->prepare("SELECT COUNT(*) FROM dmarc_reports WHERE done = 0 AND until < $1");
    if (!count) return std::unexpected(count.error());
    auto row = count->bind(1, oldest).step();
    if (!row) return std::unexpected(row.error());
    dropped = static_cast<uint64_t>(count->integer(0));
    if (auto ran =
            run("DELETE FROM dmarc_rows WHERE report IN (SELECT id FROM dmarc_reports WHERE until < $1)", oldest);
        !ran) {
      return ran;
    }
    return run("DELETE FROM dmarc_reports WHERE until < $1", oldest);
  });
  if (!done) return std::unexpected(done.error());
  return dropped;
}

}  // namespace doorward::report
