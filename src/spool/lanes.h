// The schedule: a lane for each destination, so that one that is slow or dead delays nobody else. A lane finds out how
// much its destination bears, and asks a dead one again with growing pauses, one delivery at a time. Destinations
// of which nothing is known, and those that failed, have only so many deliveries under way, so that a crowd of dead
// ones uses up nobody's place. Pure: time is given.
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
  // An earlier process left mail for it: it counts as failed until it has new mail, for nothing is known of it, and
  // who left a crowd behind was mostly dead.
  void doubt(uint32_t lane);
  void trust_again(uint32_t lane);
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
  enum class Standing : uint8_t { proven, untried, failed };
  static constexpr size_t kStandings = 3;

  struct Lane {
    Destination destination;
    Standing standing = Standing::untried;
    Standing turn = Standing::untried;  // where it stands in turns
    std::vector<Due> heap;              // the earliest first
    size_t users = 0;                   // parts
    unsigned in_flight = 0;
    unsigned limit = 1;
    unsigned successes = 0;     // since the limit changed
    unsigned misfortunes = 0;   // in a row
    int64_t closed_until = 0;   // back-off
    int64_t wakes_at = kNever;  // in waiting under this time
    bool in_turn = false;       // in turns
    uint64_t idle_since = 0;    // in idle_ under this number; 0: it is not
  };
  static constexpr int64_t kNever = INT64_MAX;

  // Of one side: deliveries, or what goes to the vault.
  struct Side {
    std::set<std::pair<int64_t, uint32_t>> waiting;      // lanes by the time when they wake
    std::array<std::deque<uint32_t>, kStandings> turns;  // lanes that may have something due
    std::array<size_t, kStandings> under_way{};
    size_t taken = 0;  // jobs: the standings take turns too
  };

  Side& side(uint32_t lane) { return sides_[lanes_[lane].destination.kind == Destination::Kind::vault ? 1 : 0]; }
  void place(uint32_t lane);  // into waiting, where it has something to do and room for it
  void stand(uint32_t lane, Standing standing);
  void into_turn(uint32_t lane);
  std::optional<Due> take(Side& side, Standing standing, int64_t now, uint32_t& lane);
  void ended(uint32_t lane);
  void idle(uint32_t lane);
  void forget(uint32_t lane);

  const Options& options_;
  std::deque<Lane> lanes_;
  std::map<Destination, uint32_t> by_destination_;
  std::vector<uint32_t> free_;
  std::array<Side, 2> sides_;
  std::set<std::pair<uint64_t, uint32_t>> idle_;  // lanes without mail, by when that began
  uint64_t idles_ = 0;
  uint32_t stamps_ = 0;
};

}  // namespace doorward::spool
