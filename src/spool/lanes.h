// The schedule: a lane for each destination, so that one that is slow or dead delays nobody else. A lane finds out how
// much its destination bears, and asks a dead one again with growing pauses, one delivery at a time. Pure: time is
// given.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "spool/spool.h"

namespace doorward::spool {

// A part of a mail in its lane. It is stale when the part's stamp has gone on.
struct Due {
  int64_t at = 0;  // milliseconds since 1970
  uint32_t slot = 0;
  uint32_t stamp = 0;
};

class Lanes {
 public:
  explicit Lanes(const Options& options) : options_(options) {}

  // The lane of a part, counted until unuse(); made where there is none.
  uint32_t use(const Destination& destination);
  void unuse(uint32_t lane);
  std::optional<uint32_t> find(const Destination& destination) const;
  const Destination& destination(uint32_t lane) const { return lanes_[lane].destination; }

  // The returned stamp marks the part's only valid place.
  uint32_t schedule(uint32_t lane, uint32_t slot, int64_t at);
  // The next one that is due in a lane that has room, lanes taking turns. The lane counts it as being delivered until
  // finished(); a stale one is given back with skipped().
  std::optional<Due> take(Spool::For whom, int64_t now, uint32_t& lane);
  void skipped(uint32_t lane);
  void finished(uint32_t lane, Health health, int64_t now);
  // The back-off of all lanes ends.
  void wake_all();
  int64_t next_due(Spool::For whom) const;  // INT64_MAX: nothing waits for a time
  size_t size() const { return by_destination_.size(); }
  bool is_closed(uint32_t lane, int64_t now) const { return lanes_[lane].closed_until > now; }
  unsigned concurrency(uint32_t lane) const { return lanes_[lane].limit; }

 private:
  struct Lane {
    Destination destination;
    std::vector<Due> heap;  // the earliest first
    size_t users = 0;       // parts
    unsigned in_flight = 0;
    unsigned limit = 1;
    unsigned successes = 0;     // since the limit changed
    unsigned misfortunes = 0;   // in a row
    int64_t closed_until = 0;   // back-off
    int64_t wakes_at = kNever;  // in waiting_ under this time
    bool in_turn = false;       // in turns_
  };
  static constexpr int64_t kNever = INT64_MAX;

  size_t side(uint32_t lane) const { return lanes_[lane].destination.kind == Destination::Kind::vault ? 1 : 0; }
  void place(uint32_t lane);  // into waiting_, where it has something to do and room for it
  void forget(uint32_t lane);

  const Options& options_;
  std::deque<Lane> lanes_;
  std::map<Destination, uint32_t> by_destination_;
  std::vector<uint32_t> free_;
  std::array<std::deque<uint32_t>, 2> turns_;                      // lanes that may have something due, by side
  std::array<std::set<std::pair<int64_t, uint32_t>>, 2> waiting_;  // lanes by the time when they wake
  uint32_t stamps_ = 0;
};

}  // namespace doorward::spool
