// Where sightings are kept: a snapshot of the table, and a log of the rows changed since. The log has the new rows, so
// that replaying is quick, exact, and may be done twice.
//
//   sightings.snapshot   header, then blocks of buckets that are not all empty, each with its checksum
//   sightings.N.log      changes after snapshot N: records with checksum; a torn tail is cut off
//   sightings.lock       held by the process that learns
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "trust/sightings_table.h"

namespace doorward::trust {

class SightingsStore {
 public:
  struct Shape {
    size_t buckets = 0;               // of a table that is new; a stored one keeps its size
    uint32_t generation_minutes = 0;  // rows of another length mean nothing: begins anew
    bool read_only = false;           // takes no lock and never writes
  };
  static Result<std::unique_ptr<SightingsStore>> open(const std::string& directory, const Shape& shape,
                                                      std::unique_ptr<SightingsTable>& table);
  ~SightingsStore();

  // Appends the rows at `places`, durably; now and then writes a new snapshot instead.
  Result<void> append(const SightingsTable& table, std::span<const uint32_t> places);

 private:
  struct State;
  explicit SightingsStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::trust
