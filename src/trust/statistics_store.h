// Where the word statistics are kept: a snapshot of the whole table, and a log of the entries changed since. The log's
// records carry the new entries, not the mails, so that replaying is quick, exact, and may be done twice.
//
//   words.snapshot     header, then blocks of entries that are not all empty, each with its checksum
//   words.N.log        changes after snapshot N: records with checksum; a torn tail is cut off
//   words.lock         held by the process that learns
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "trust/statistics_table.h"

namespace doorward::trust {

struct Loaded {
  std::unique_ptr<StatisticsTable> table;
  std::unique_ptr<LearntTotals> totals;
};

class StatisticsStore {
 public:
  struct Options {
    std::string directory{};
    size_t entries = 0;      // of a table that is new
    bool read_only = false;  // takes no lock and never writes
    uint64_t log = 0;        // octets after which a snapshot is due
  };
  // Reads what is there.
  static Result<std::unique_ptr<StatisticsStore>> open(const Options& options, Loaded& loaded);
  ~StatisticsStore();

  // Appends the entries at `places` and these totals, durably; now and then writes a new snapshot after that.
  Result<void> append(const Loaded& state, std::span<const uint32_t> places,
                      std::span<const LearntTotals::Totals> totals);

 private:
  struct State;
  explicit StatisticsStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::trust
