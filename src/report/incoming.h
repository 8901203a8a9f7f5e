// Reports that others sent about tenants' domains, kept as figures. Bounded: the oldest go first, of the customer who
// has the most, so that nobody can flood another one's figures away.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "report/readers.h"
#include "store/database.h"

namespace doorward::report {

struct IncomingOptions {
  std::string path;  // of the database; ":memory:" for tests
  std::chrono::days keep{400};
  uint64_t most_reports = 100'000;
  uint64_t most_rows = 2'000'000;
  size_t most_of_report = 2'000;  // rows; what is beyond is summed up in one that passed and one that failed
};

// A DMARC report, or what a TLS report says of one policy.
struct IncomingReport {
  std::string id;    // ours
  std::string kind;  // "dmarc", "tls"
  std::string organization, contact, report_id;
  std::string domain;
  std::string policy;          // "p=reject; sp=none", "sts"
  int64_t begin = 0, end = 0;  // seconds since 1970
  SystemTime received{};
  uint64_t customer = 0;            // whose address it came to; 0: it was imported
  uint64_t passed = 0, failed = 0;  // mails; of TLS: sessions
};

struct IncomingRow {
  std::string source;  // an address; empty: not told, or several
  uint64_t count = 0;
  bool passed = false;
  std::string detail;  // a JSON object: what else the report says of it
};

struct IncomingSource {
  std::string domain, source;
  uint64_t passed = 0, failed = 0;
  int64_t first = 0, last = 0;  // days told of
};

struct IncomingFilter {
  std::string domain;               // empty: all
  std::string kind;                 // empty: all
  std::optional<SystemTime> since;  // that end after it
};

// One connection: used by one thread at a time. Several may be open on one file.
class Incoming {
 public:
  static Result<std::unique_ptr<Incoming>> open(IncomingOptions options);

  // How many were new: who sends a report twice gives it the same id (RFC 9990, "Handling of Duplicates").
  Result<size_t> add(const ReadReports& reports, uint64_t customer, SystemTime now);
  Result<std::vector<IncomingReport>> list(const IncomingFilter& filter, size_t most);  // the newest first
  Result<std::optional<IncomingReport>> find(std::string_view id);
  Result<std::vector<IncomingRow>> rows(std::string_view id);
  // Of DMARC reports, by domain and source; those with the most failures first.
  Result<std::vector<IncomingSource>> sources(const IncomingFilter& filter, size_t most);
  Result<void> expire(SystemTime now);

 private:
  explicit Incoming(IncomingOptions options) : options_(std::move(options)) {}
  Result<bool> add_one(const IncomingReport& report, const std::vector<IncomingRow>& rows);
  Result<void> add_row(std::string_view report, const IncomingRow& row);
  Result<uint64_t> number(std::string_view sql);
  Result<void> drop_oldest();
  Result<void> drop_of_largest(std::string_view measure, uint64_t many);

  IncomingOptions options_;
  std::unique_ptr<store::Database> database_;
};

}  // namespace doorward::report
