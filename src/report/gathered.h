// What was gathered for DMARC aggregate reports, until they are sent: a table of reports, one a domain and period, and
// one of their rows. Bounded in every direction; what does not fit is counted and left out.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "report/dmarc_observation.h"
#include "report/dmarc_report.h"
#include "store/database.h"

namespace doorward::report {

struct GatheredOptions {
  std::string path;                     // of the database; ":memory:" for tests
  std::chrono::seconds period{86'400};  // of one report; periods begin at multiples of it since 1970
  uint64_t most_rows = 10'000;          // of one report
  uint64_t most_rows_in_all = 500'000;
  uint64_t most_reports = 50'000;            // that wait or are being gathered
  std::chrono::seconds give_up{3 * 86'400};  // after its end a report that could not be sent is dropped
};

// A report whose time is over.
struct DueReport {
  DmarcReport report;  // without organisation and contact
  std::vector<ReportAddress> addresses;
  uint64_t lost = 0;  // mails that are not in it, as there were too many different ones
  unsigned attempts = 0;
};

// One connection: used by one thread at a time. Several may be open on one file.
class Gathered {
 public:
  static Result<std::unique_ptr<Gathered>> open(GatheredOptions options);

  // All or nothing.
  Result<void> add(std::span<const DmarcObservation> observations);
  // Ends the periods that are over, or, with `all`, every one: what comes later begins a new report.
  Result<void> close(SystemTime now, bool all);
  // The ids of reports that are closed and whose time to be tried has come; the oldest first.
  Result<std::vector<std::string>> due(SystemTime now, size_t most);
  // None: it has been sent meanwhile.
  Result<std::optional<DueReport>> read(const std::string& id);
  // Its rows go; that it was sent stays known for a while, so that no later report tells of the same time.
  Result<void> done(const std::string& id);
  Result<void> try_again(const std::string& id, SystemTime next);
  // Drops what is too old. How many reports were never sent.
  Result<uint64_t> expire(SystemTime now);

 private:
  struct Open;
  explicit Gathered(GatheredOptions options) : options_(std::move(options)) {}
  Result<void> add_one(const DmarcObservation& one, std::map<std::string, Open>& open);
  Result<Open*> find_open(const DmarcObservation& one, std::map<std::string, Open>& open);
  Result<void> make_open(const DmarcObservation& one, int64_t period, Open& made);
  Result<void> add_row(const DmarcObservation& one, Open& to);
  Result<uint64_t> number(std::string_view sql);
  Result<void> run(std::string_view sql, int64_t value);

  GatheredOptions options_;
  std::unique_ptr<store::Database> database_;
  std::optional<store::Statement> count_up_{};  // what nearly every observation needs
  uint64_t rows_ = 0, reports_ = 0;             // while observations are added
};

}  // namespace doorward::report
