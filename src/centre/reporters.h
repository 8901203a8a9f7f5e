// Who may ask the centre and report to it: enrolled by its operator, known by a token, each with his track record.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "centre/track_record.h"
#include "store/database.h"

namespace doorward::centre {

// Lets so many through a second on average, and ten times as many at once.
class Allowance {
 public:
  explicit Allowance(double a_second) : a_second_(a_second), left_(10 * a_second) {}
  bool take(double count, SteadyTime now);  // all of it, or nothing

 private:
  double a_second_, left_;
  std::optional<SteadyTime> at_{};
};

struct ReporterLimits {
  double questions_a_second = 5000, reports_a_second = 200;
};

class Reporter {
 public:
  Reporter(uint64_t number, std::string name, bool trusted, double confirmed, double contested, ReporterLimits limits)
      : number_(number),
        name_(std::move(name)),
        record_(trusted, confirmed, contested),
        questions_(limits.questions_a_second),
        reports_(limits.reports_a_second) {}
  uint64_t number() const { return number_; }
  const std::string& name() const { return name_; }

  // All from any thread.
  bool may_ask(size_t questions, SteadyTime now);
  bool may_report(size_t reports, SteadyTime now);
  bool was_heard();  // since it was asked last
  // With the record to itself.
  template <class Work>
  auto with_record(Work&& work) {
    const std::lock_guard guard(lock_);
    return work(record_);
  }

 private:
  const uint64_t number_;
  const std::string name_;
  std::mutex lock_;
  TrackRecord record_;
  Allowance questions_, reports_;
  bool heard_ = false;
};

class Reporters {
 public:
  struct Entry {
    std::string name;
    bool trusted = false;
    double confirmed = 0, contested = 0;
    SystemTime enrolled{}, heard{};  // heard: last asked or reported, to a minute or so; epoch: never
  };
  static Result<std::unique_ptr<Reporters>> open(const std::string& path, ReporterLimits limits = {});

  // For the operator; a running centre takes notice: of who is new when he asks, of all else within seconds. A token is
  // told once and kept as a hash only.
  Result<std::string> enrol(const std::string& name, bool trusted, SystemTime now);
  Result<void> trust(const std::string& name, bool trusted);
  Result<void> revoke(const std::string& name);
  Result<std::vector<Entry>> list();

  // From any thread. Null: unknown, also to the database, which is looked at once a second for this at most.
  std::shared_ptr<Reporter> find(std::string_view token, SteadyTime now);
  std::vector<std::shared_ptr<Reporter>> all();
  // Takes over what another process enrolled, revoked or trusts.
  Result<void> refresh();
  // Writes what became of the track records.
  Result<void> save(SystemTime now);

 private:
  Reporters(std::unique_ptr<store::Database> database, ReporterLimits limits)
      : limits_(limits), database_(std::move(database)) {}
  Result<void> expect_one(std::string_view sql, const std::string& name, std::optional<int64_t> value);

  ReporterLimits limits_;
  std::mutex database_lock_;
  std::unique_ptr<store::Database> database_;
  std::mutex lock_;
  std::unordered_map<std::string, std::shared_ptr<Reporter>> by_token_;  // by the token's hash
  std::optional<SteadyTime> refreshed_;                                  // for a token that was not known
};

}  // namespace doorward::centre
