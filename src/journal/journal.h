// An append-only journal: records in segment files, made durable in groups, found again after a crash at any octet. It
// knows nothing of mail. The form on disk: docs/spool-format.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "journal/disk.h"
#include "journal/recovery.h"

namespace doorward::journal {

struct Options {
  std::string directory;
  uint64_t segment = uint64_t{64} << 20;   // octets after which a new file is begun
  uint64_t budget = uint64_t{10} << 30;    // octets of all files; what has_room() keeps to
  uint64_t reserve = uint64_t{256} << 20;  // octets that stay free on the file system
  std::chrono::milliseconds lazy{50};      // how long append_lazily() may wait for company
  // Under load, a group waits so long for company before it is written: more mails share a sync, which costs less CPU
  // and, as syncs are what all wait for, no time (bench/run.py: 0.45 → 0.40 CPU-s and 2,490 → 2,990 mails/s in relay
  // mode, p99 20 → 18 ms). One that comes alone does not wait.
  std::chrono::microseconds gather{1000};
};

struct Record {
  uint8_t kind = 0;                      // the owner's
  std::string head;                      // what recovery reads: small
  std::vector<std::string_view> body{};  // what is read on demand; the octets stay where they are until `done`
};

// On the journal's own thread, in the order of the records: it must not wait for anything.
using Done = std::move_only_function<void(Result<Place>)>;

class Journal {
 public:
  // Replays what is there, oldest first. A record that was rewritten comes twice: the later one counts.
  static Result<std::unique_ptr<Journal>> open(Options options, Disk& disk, const Replay& replay);
  ~Journal();  // what waits is written first
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // What recovery had to step over.
  const std::vector<Damage>& damage() const;

  // From any thread. `done` hears of success when the record is durable. After an error it may or may not be found
  // again by a later recovery.
  void append(Record record, Done done);
  // Durable soon, with the next group. `done` may be none.
  void append_lazily(Record record, Done done = {});
  // Waits until everything that was appended before is durable, or has failed.
  void flush();

  // False before `octets` more would pass the budget or eat into the reserve, and for a moment after a failed write.
  bool has_room(uint64_t octets) const;
  uint64_t disk_octets() const;

  // Both block on the disk, and check the checksums.
  Result<std::string> read_head(const Place& place) const;
  Result<std::string> read_body(const Place& place) const;

  // The record is of no more use.
  void retire(const Place& place);
  // Space is won back strictly from the oldest segment on, so that a record that cancels an older one outlives it. The
  // oldest segment, where it is worth the work: its owner appends anew what lives in it, waits until that is durable,
  // and drops it.
  std::optional<uint64_t> to_clean() const;
  Result<void> drop(uint64_t segment);
  // Something in it cannot be read: drop() sets its file aside, as FILE.damaged, for whoever wants to look into it.
  void set_aside(uint64_t segment);
  bool is_empty(uint64_t segment) const;  // nothing lives in it

 private:
  struct State;
  explicit Journal(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::journal
