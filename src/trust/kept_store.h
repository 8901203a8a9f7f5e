// Where a table is kept: a snapshot, and a log of the entries changed since. The log has the new entries whole, so that
// replaying is quick, exact, and may be done twice. NAME is that of what is kept, such as "sightings".
//
//   NAME.snapshot   header, then blocks of buckets that are not all empty, each with its checksum
//   NAME.N.log      changes after snapshot N: records with checksum; a torn tail is cut off
//   NAME.lock       held by the process that writes
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "trust/kept_table.h"

namespace doorward::trust {

class KeptStore {
 public:
  struct Shape {
    std::string name{};      // at most 16 octets
    size_t buckets = 0;      // of a table that is new; a stored one keeps its size
    uint32_t version = 0;    // of what entries mean; of another version all begins anew
    uint32_t parameter = 0;  // likewise: a setting on which their meaning depends
    bool read_only = false;  // takes no lock and never writes
    uint64_t log = 0;        // octets after which a snapshot is due; 0: 64 MiB, or half of the table
  };
  static Result<std::unique_ptr<KeptStore>> open(const std::string& directory, const Shape& shape,
                                                 std::unique_ptr<KeptTable>& table);
  ~KeptStore();

  // Appends the rows at `places`, durably; now and then writes a new snapshot after that.
  Result<void> append(const KeptTable& table, std::span<const uint32_t> places);

 private:
  struct State;
  explicit KeptStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::trust
