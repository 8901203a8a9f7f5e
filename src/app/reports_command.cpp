#include "app/reports_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "app/config.h"
#include "app/control_commands.h"
#include "app/control_print.h"
#include "app/privileges.h"
#include "app/steering.h"
#include "base/id.h"
#include "config/quantity.h"
#include "mail/ascii.h"
#include "mail/domain.h"
#include "report/incoming.h"

namespace doorward::app {
namespace {

namespace json = boost::json;
using What = ReportsOptions::What;

constexpr Steered kReports{"reports", "report", "reports", "no report fits", "the newest"};
constexpr size_t kMostFile = size_t{64} << 20;  // octets

std::string day(int64_t seconds) { return moment_text(SystemTime(std::chrono::seconds(seconds))).substr(0, 10); }

Result<std::unique_ptr<report::Incoming>> open_store(const NodeConfig& config) {
  return report::Incoming::open({.path = config.reports_path(), .keep = std::chrono::days(config.reports.keep_days)});
}

Result<report::IncomingFilter> filter_of(const ReportsOptions& options) {
  report::IncomingFilter filter;
  if (!options.domain.empty()) {
    const auto name = mail::to_ascii(options.domain);
    if (!name) return fail(fmt::format("--domain {}: not a domain", options.domain));
    filter.domain = *name;
  }
  filter.kind = options.kind;
  if (!filter.kind.empty() && filter.kind != "dmarc" && filter.kind != "tls") return fail("--kind is dmarc or tls");
  if (!options.since.empty()) {
    const auto age = config::parse_duration(options.since);
    if (!age) return fail("--since " + age.error().what);
    filter.since = RealClock().now() - *age;
  }
  return filter;
}

json::object object_of(const report::IncomingReport& report) {
  return {{"id", report.id},
          {"kind", report.kind},
          {"domain", report.domain},
          {"organization", report.organization},
          {"contact", report.contact},
          {"report_id", report.report_id},
          {"policy", report.policy},
          {"begin", moment_text(SystemTime(std::chrono::seconds(report.begin)))},
          {"end", moment_text(SystemTime(std::chrono::seconds(report.end)))},
          {"received", moment_text(report.received)},
          {"customer", report.customer},
          {"passed", report.passed},
          {"failed", report.failed}};
}

json::object object_of(const report::IncomingRow& row) {
  boost::system::error_code ignored;
  json::object made{{"source", row.source}, {"count", row.count}, {"passed", row.passed}};
  if (const json::value detail = json::parse(row.detail, ignored); detail.is_object()) {
    for (const auto& field : detail.get_object()) made.insert(field);
  }
  return made;
}

int send(const NodeConfig& config, const ReportsOptions& options) {
  auto request = request_for("reports.send");
  if (options.now) request["now"] = true;
  const auto asked = ask_for(config, request, [&](const json::object& answer, std::string_view line) {
    if (options.json) {
      fmt::print("{}\n", line);
    } else {
      fmt::print("{} reports done, {} mails queued, {} put off\n", member(answer, "reports"), member(answer, "mails"),
                 member(answer, "postponed"));
    }
  });
  return asked ? kDone : complain(kReports, asked.error());
}

Result<std::string> read_whole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail("cannot be read", path);
  std::string text;
  std::vector<char> piece(size_t{1} << 20);
  while (in) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    text.append(piece.data(), static_cast<size_t>(in.gcount()));
    if (text.size() > kMostFile) return fail(fmt::format("larger than {} octets", kMostFile), path);
  }
  return text;
}

int import_all(report::Incoming& store, const ReportsOptions& options) {
  int status = kDone;
  for (const auto& path : options.files) {
    const auto text = read_whole(path);
    if (!text) {
      status = complain(kReports, text.error());
      continue;
    }
    const auto found = report::read_reports(*text);
    for (const auto& problem : found.problems) status = complain(kReports, Error(on_terminal(problem), path));
    if (found.dmarc.empty() && found.tls.empty() && found.problems.empty()) {
      status = complain(kReports, Error("holds no report", path));
    }
    const auto added = store.add(found, 0, RealClock().now());
    if (!added) return complain(kReports, added.error());
    const size_t all = found.dmarc.size() + found.tls.size();
    if (all != 0) fmt::print("{}: {} read, {} new\n", on_terminal(path), all, *added);
  }
  return status;
}

int list(report::Incoming& store, const ReportsOptions& options, const report::IncomingFilter& filter) {
  const auto reports = store.list(filter, options.most != 0 ? options.most : 100);
  if (!reports) return complain(kReports, reports.error());
  if (reports->empty()) return kNothing;
  if (!options.json) {
    fmt::print("{:<26}  {:<5}  {:<30}  {:<10}  {:<10}  {:>9}  {:>9}  {}\n", "ID", "KIND", "DOMAIN", "FROM", "TO",
               "PASSED", "FAILED", "BY");
  }
  for (const auto& report : *reports) {
    if (options.json) {
      fmt::print("{}\n", json::serialize(object_of(report)));
    } else {
      fmt::print("{:<26}  {:<5}  {:<30}  {:<10}  {:<10}  {:>9}  {:>9}  {}\n", report.id, report.kind,
                 short_text(report.domain, 30), day(report.begin), day(report.end), report.passed, report.failed,
                 short_text(report.organization, 40));
    }
  }
  return kDone;
}

void print_rows(const std::vector<report::IncomingRow>& rows) {
  for (const auto& row : rows) {
    const json::object all = object_of(row);
    fmt::print("{:<39}  {:>9}  {}", on_terminal(row.source), row.count, row.passed ? "passed" : "failed");
    for (const auto& field : all) {
      const std::string_view key = field.key();
      if (key == "source" || key == "count" || key == "passed") continue;
      const std::string text = field.value().is_array() ? json::serialize(field.value()) : member(all, key);
      if (!text.empty() && text != "[]") fmt::print("  {}={}", key, on_terminal(text));
    }
    fmt::print("\n");
  }
}

int show(report::Incoming& store, const ReportsOptions& options) {
  std::string id = options.id;
  for (char& c : id) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  const auto found = store.find(id);
  if (!found) return complain(kReports, found.error());
  if (!*found) return kNothing;
  const auto rows = store.rows(id);
  if (!rows) return complain(kReports, rows.error());
  json::object whole = object_of(**found);
  if (options.json) {
    json::array told;
    for (const auto& row : *rows) told.push_back(object_of(row));
    whole["rows"] = std::move(told);
    fmt::print("{}\n", json::serialize(whole));
    return kDone;
  }
  for (const auto& field : whole) fmt::print("{:<12} {}\n", field.key(), on_terminal(member(whole, field.key())));
  fmt::print("\n");
  print_rows(*rows);
  return kDone;
}

int sources(report::Incoming& store, const ReportsOptions& options, const report::IncomingFilter& filter) {
  const auto all = store.sources(filter, options.most != 0 ? options.most : 100);
  if (!all) return complain(kReports, all.error());
  if (all->empty()) return kNothing;
  if (!options.json) {
    fmt::print("{:<30}  {:<39}  {:>9}  {:>9}  {:<10}  {}\n", "DOMAIN", "SOURCE", "PASSED", "FAILED", "FIRST", "LAST");
  }
  for (const auto& one : *all) {
    if (options.json) {
      fmt::print("{}\n", json::serialize(json::object{{"domain", one.domain},
                                                      {"source", one.source},
                                                      {"passed", one.passed},
                                                      {"failed", one.failed},
                                                      {"first", day(one.first)},
                                                      {"last", day(one.last)}}));
    } else {
      fmt::print("{:<30}  {:<39}  {:>9}  {:>9}  {:<10}  {}\n", short_text(one.domain, 30), short_text(one.source, 39),
                 one.passed, one.failed, day(one.first), day(one.last));
    }
  }
  return kDone;
}

}  // namespace

int reports_command(const ReportsOptions& options) {
  const auto config = load_config(options.config_file);
  if (!config) return complain(kReports, config.error());
  if (options.what == What::send) return send(*config, options);
  const auto filter = filter_of(options);
  if (!filter) return complain(kReports, filter.error(), kWrongUsage);
  const ActingAs acting(owner_of_files(config->user, config->group));  // a store that is made is the gateway's
  auto store = open_store(*config);
  if (!store) return complain(kReports, store.error());
  switch (options.what) {
    case What::import_:
      return import_all(**store, options);
    case What::show:
      return show(**store, options);
    case What::sources:
      return sources(**store, options, *filter);
    default:
      return list(**store, options, *filter);
  }
}

}  // namespace doorward::app
