#include "report/incoming.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <utility>

#include "base/id.h"

namespace doorward::report {
namespace {

namespace json = boost::json;

constexpr std::array<store::Migration, 1> kMigrations{{{1, R"(
CREATE TABLE incoming_reports (id TEXT PRIMARY KEY, kind TEXT NOT NULL, organization TEXT NOT NULL,
  contact TEXT NOT NULL, report_id TEXT NOT NULL, domain TEXT NOT NULL, policy TEXT NOT NULL, begun BIGINT NOT NULL,
  ended BIGINT NOT NULL, received BIGINT NOT NULL, customer BIGINT NOT NULL, passed BIGINT NOT NULL,
  failed BIGINT NOT NULL, row_count BIGINT NOT NULL);
CREATE UNIQUE INDEX incoming_reports_known ON incoming_reports (kind, organization, domain, report_id, policy);
CREATE INDEX incoming_reports_by_domain ON incoming_reports (domain, ended);
CREATE INDEX incoming_reports_by_time ON incoming_reports (received);
CREATE TABLE incoming_rows (report TEXT NOT NULL, source TEXT NOT NULL, count BIGINT NOT NULL, passed BIGINT NOT NULL,
  detail TEXT NOT NULL);
CREATE INDEX incoming_rows_by_report ON incoming_rows (report);
)"}}};

constexpr std::string_view kColumns =
    "id, kind, organization, contact, report_id, domain, policy, begun, ended, received, customer, passed, failed";

int64_t number_of(uint64_t value) { return static_cast<int64_t>(value); }

Result<void> once(Result<store::Statement>& statement) {
  if (!statement) return std::unexpected(statement.error());
  if (auto done = statement->step(); !done) return std::unexpected(done.error());
  return {};
}

IncomingRow row_of(const DmarcRecordRow& from) {
  json::array signatures, reasons;
  for (const auto& one : from.signatures) {
    signatures.push_back(json::object{{"domain", one.domain}, {"selector", one.selector}, {"result", one.result}});
  }
  for (const auto& one : from.reasons) reasons.push_back(json::object{{"type", one.type}, {"comment", one.comment}});
  return {.source = from.source_ip,
          .count = from.count,
          .passed = from.dkim || from.spf,
          .detail = json::serialize(json::object{{"disposition", from.disposition},
                                                 {"dkim", from.dkim ? "pass" : "fail"},
                                                 {"spf", from.spf ? "pass" : "fail"},
                                                 {"header_from", from.header_from},
                                                 {"envelope_from", from.envelope_from},
                                                 {"reasons", std::move(reasons)},
                                                 {"signatures", std::move(signatures)},
                                                 {"spf_domain", from.spf_domain},
                                                 {"spf_result", from.spf_result}})};
}

IncomingRow row_of(const TlsFailure& from) {
  return {.source = from.sending_ip,
          .count = from.sessions,
          .passed = false,
          .detail = json::serialize(json::object{{"result", from.result},
                                                 {"receiving_host", from.receiving_host},
                                                 {"receiving_ip", from.receiving_ip},
                                                 {"reason", from.reason}})};
}

std::string policy_of(const DmarcPublished& published) {
  std::string text = "p=" + published.p;
  if (!published.sp.empty()) text += "; sp=" + published.sp;
  if (!published.np.empty()) text += "; np=" + published.np;
  if (published.testing) text += "; t=y";
  return text;
}

// Keeps those rows that stand for the most.
void sum_up(std::vector<IncomingRow>& rows, size_t most) {
  if (rows.size() <= most) return;
  const auto end = rows.begin() + static_cast<std::ptrdiff_t>(most);
  std::nth_element(rows.begin(), end, rows.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
  IncomingRow passed{.source = {}, .count = 0, .passed = true, .detail = "{}"};
  IncomingRow failed{.source = {}, .count = 0, .passed = false, .detail = "{}"};
  for (auto row = end; row != rows.end(); ++row) (row->passed ? passed : failed).count += row->count;
  rows.erase(end, rows.end());
  for (auto& sum : {passed, failed}) {
    if (sum.count != 0) rows.push_back(sum);
  }
}

// What reports of both kinds say.
template <class Report>
IncomingReport begun(std::string_view kind, const Report& from) {
  IncomingReport report;
  report.kind = kind;
  report.organization = from.organization;
  report.contact = from.contact;
  report.report_id = from.id;
  report.begin = from.begin;
  report.end = from.end;
  return report;
}

IncomingReport report_of(const store::Statement& row) {
  IncomingReport report;
  report.id = row.text(0);
  report.kind = row.text(1);
  report.organization = row.text(2);
  report.contact = row.text(3);
  report.report_id = row.text(4);
  report.domain = row.text(5);
  report.policy = row.text(6);
  report.begin = row.integer(7);
  report.end = row.integer(8);
  report.received = SystemTime(std::chrono::milliseconds(row.integer(9)));
  report.customer = static_cast<uint64_t>(row.integer(10));
  report.passed = static_cast<uint64_t>(row.integer(11));
  report.failed = static_cast<uint64_t>(row.integer(12));
  return report;
}

int64_t seconds(SystemTime time) { return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(); }

// The conditions of a filter; $1 is the domain, $2 the kind, $3 the time.
std::string where(const IncomingFilter& filter, std::string_view always) {
  std::string sql = fmt::format(" WHERE {}", always);
  if (!filter.domain.empty()) sql += " AND r.domain = $1";
  if (!filter.kind.empty()) sql += " AND r.kind = $2";
  if (filter.since) sql += " AND r.ended >= $3";
  return sql;
}
void bind(store::Statement& statement, const IncomingFilter& filter, size_t most) {
  if (!filter.domain.empty()) statement.bind(1, filter.domain);
  if (!filter.kind.empty()) statement.bind(2, filter.kind);
  if (filter.since) statement.bind(3, seconds(*filter.since));
  statement.bind(4, number_of(most));
}

}  // namespace

Result<std::unique_ptr<Incoming>> Incoming::open(IncomingOptions options) {
  auto database = store::Database::open(options.path);
  if (!database) return std::unexpected(database.error());
  std::unique_ptr<Incoming> made(new Incoming(std::move(options)));
  made->database_ = std::move(*database);
  if (auto done = store::migrate(*made->database_, "incoming_reports", kMigrations); !done) {
    return std::unexpected(done.error());
  }
  return made;
}

Result<uint64_t> Incoming::number(std::string_view sql) {
  auto select = database_->prepare(sql);
  if (!select) return std::unexpected(select.error());
  auto row = select->step();
  if (!row) return std::unexpected(row.error());
  return *row ? static_cast<uint64_t>(select->integer(0)) : 0;
}

Result<size_t> Incoming::add(const ReadReports& reports, uint64_t customer, SystemTime now) {
  size_t added = 0;
  const auto take = [&](IncomingReport report, std::vector<IncomingRow> rows) -> Result<void> {
    sum_up(rows, options_.most_of_report);
    report.id = new_id(now);
    report.received = now;
    report.customer = customer;
    auto is_new = add_one(report, rows);
    if (!is_new) return std::unexpected(is_new.error());
    added += *is_new ? 1 : 0;
    return {};
  };
  auto done = database_->transaction([&]() -> Result<void> {
    for (const auto& from : reports.dmarc) {
      IncomingReport report = begun("dmarc", from);
      report.domain = from.published.domain;
      report.policy = policy_of(from.published);
      std::vector<IncomingRow> rows;
      rows.reserve(from.rows.size());
      for (const auto& one : from.rows) {
        rows.push_back(row_of(one));
        (rows.back().passed ? report.passed : report.failed) += one.count;
      }
      if (auto taken = take(std::move(report), std::move(rows)); !taken) return taken;
    }
    for (const auto& from : reports.tls) {
      for (const auto& policy : from.policies) {
        IncomingReport report = begun("tls", from);
        report.domain = policy.domain;
        report.policy = policy.type;
        report.passed = policy.successes;
        report.failed = policy.failures;
        std::vector<IncomingRow> rows;
        rows.reserve(policy.details.size());
        for (const auto& one : policy.details) rows.push_back(row_of(one));
        if (auto taken = take(std::move(report), std::move(rows)); !taken) return taken;
      }
    }
    return drop_oldest();
  });
  if (!done) return std::unexpected(done.error());
  return added;
}

Result<bool> Incoming::add_one(const IncomingReport& report, const std::vector<IncomingRow>& rows) {
  auto insert = database_->prepare(fmt::format(
      "INSERT INTO incoming_reports ({}, row_count) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
      "$14) ON CONFLICT DO NOTHING RETURNING id",
      kColumns));
  if (!insert) return std::unexpected(insert.error());
  insert->bind(1, report.id).bind(2, report.kind).bind(3, report.organization).bind(4, report.contact);
  insert->bind(5, report.report_id).bind(6, report.domain).bind(7, report.policy).bind(8, report.begin);
  insert->bind(9, report.end).bind(10, int64_t{report.received.time_since_epoch().count()});
  insert->bind(11, number_of(report.customer)).bind(12, number_of(report.passed)).bind(13, number_of(report.failed));
  insert->bind(14, number_of(rows.size()));
  auto is_new = insert->step();
  if (!is_new) return std::unexpected(is_new.error());
  if (!*is_new) return false;
  if (auto rest = insert->step(); !rest) return std::unexpected(rest.error());
  for (const auto& row : rows) {
    if (auto added = add_row(report.id, row); !added) return std::unexpected(added.error());
  }
  return true;
}

Result<void> Incoming::add_row(std::string_view report, const IncomingRow& row) {
  auto insert = database_->prepare(
      "INSERT INTO incoming_rows (report, source, count, passed, detail) VALUES ($1, $2, $3, $4, $5)");
  if (insert) {
    insert->bind(1, report).bind(2, row.source).bind(3, number_of(row.count)).bind(4, int64_t{row.passed});
    insert->bind(5, row.detail);
  }
  return once(insert);
}

Result<void> Incoming::drop_oldest() {
  for (;;) {
    auto reports = number("SELECT COUNT(*) FROM incoming_reports");
    if (!reports) return std::unexpected(reports.error());
    auto rows = number("SELECT COALESCE(SUM(row_count), 0) FROM incoming_reports");
    if (!rows) return std::unexpected(rows.error());
    if (*reports <= options_.most_reports && *rows <= options_.most_rows) return {};
    // Some at a time, so that counting is rare.
    const bool too_many = *reports > options_.most_reports;
    const uint64_t many = too_many ? *reports - options_.most_reports : 1;
    if (auto dropped = drop_of_largest(too_many ? "COUNT(*)" : "SUM(row_count)", many); !dropped) return dropped;
  }
}

// The oldest of the customer for whom `measure` is largest.
Result<void> Incoming::drop_of_largest(std::string_view measure, uint64_t many) {
  auto old = database_->prepare(
      fmt::format("SELECT id FROM incoming_reports WHERE customer = (SELECT customer FROM incoming_reports GROUP BY "
                  "customer ORDER BY {} DESC, customer LIMIT 1) ORDER BY received, id LIMIT $1",
                  measure));
  if (!old) return std::unexpected(old.error());
  old->bind(1, number_of(many));
  std::vector<std::string> ids;
  for (;;) {
    auto row = old->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    ids.push_back(old->text(0));
  }
  for (const auto& id : ids) {
    for (const std::string_view sql :
         {"DELETE FROM incoming_rows WHERE report = $1", "DELETE FROM incoming_reports WHERE id = $1"}) {
      auto remove = database_->prepare(sql);
      if (remove) remove->bind(1, id);
      if (auto done = once(remove); !done) return done;
    }
  }
  return {};
}

Result<std::vector<IncomingReport>> Incoming::list(const IncomingFilter& filter, size_t most) {
  auto select = database_->prepare(fmt::format(
      "SELECT {} FROM incoming_reports r{} ORDER BY ended DESC, id DESC LIMIT $4", kColumns, where(filter, "1 = 1")));
  if (!select) return std::unexpected(select.error());
  bind(*select, filter, most);
  std::vector<IncomingReport> reports;
  for (;;) {
    auto row = select->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return reports;
    reports.push_back(report_of(*select));
  }
}

Result<std::optional<IncomingReport>> Incoming::find(std::string_view id) {
  auto select = database_->prepare(fmt::format("SELECT {} FROM incoming_reports WHERE id = $1", kColumns));
  if (!select) return std::unexpected(select.error());
  auto row = select->bind(1, id).step();
  if (!row) return std::unexpected(row.error());
  return *row ? std::optional(report_of(*select)) : std::nullopt;
}

Result<std::vector<IncomingRow>> Incoming::rows(std::string_view id) {
  auto select = database_->prepare(
      "SELECT source, count, passed, detail FROM incoming_rows WHERE report = $1 ORDER BY passed, count DESC");
  if (!select) return std::unexpected(select.error());
  select->bind(1, id);
  std::vector<IncomingRow> rows;
  for (;;) {
    auto row = select->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return rows;
    rows.push_back(
        {select->text(0), static_cast<uint64_t>(select->integer(1)), select->integer(2) != 0, select->text(3)});
  }
}

Result<std::vector<IncomingSource>> Incoming::sources(const IncomingFilter& filter, size_t most) {
  auto select = database_->prepare(
      fmt::format("SELECT r.domain, w.source, SUM(CASE WHEN w.passed = 1 THEN w.count ELSE 0 END), "
                  "SUM(CASE WHEN w.passed = 0 THEN w.count ELSE 0 END), MIN(r.begun), MAX(r.ended) "
                  "FROM incoming_reports r JOIN incoming_rows w ON w.report = r.id{} GROUP BY r.domain, w.source "
                  "ORDER BY 4 DESC, 3 DESC, 1, 2 LIMIT $4",
                  where(filter, "r.kind = 'dmarc'")));
  if (!select) return std::unexpected(select.error());
  bind(*select, filter, most);
  std::vector<IncomingSource> sources;
  for (;;) {
    auto row = select->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return sources;
    sources.push_back({select->text(0), select->text(1), static_cast<uint64_t>(select->integer(2)),
                       static_cast<uint64_t>(select->integer(3)), select->integer(4), select->integer(5)});
  }
}

Result<void> Incoming::expire(SystemTime now) {
  const int64_t before = (now - options_.keep).time_since_epoch().count();
  return database_->transaction([&]() -> Result<void> {
    for (const std::string_view sql :
         {"DELETE FROM incoming_rows WHERE report IN (SELECT id FROM incoming_reports WHERE received < $1)",
          "DELETE FROM incoming_reports WHERE received < $1"}) {
      auto remove = database_->prepare(sql);
      if (remove) remove->bind(1, before);
      if (auto done = once(remove); !done) return done;
    }
    return {};
  });
}

}  // namespace doorward::report
