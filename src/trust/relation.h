// An entry of the correspondence: how good a relation is, how long and how steadily it has been so, and from which
// network somebody came who could not prove himself.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "trust/kept_table.h"

namespace doorward::trust {

// How levels decay with silence, in both directions.
enum class Decay : uint8_t { halving, straight };
struct Forgetting {
  Decay decay = Decay::halving;
  double half_life = 60;  // days, of what was exchanged on one day alone; up to three times as long when on thirty
};

struct Relation {
  using Minute = uint32_t;  // since 2020, in 24 bits
  static constexpr double kMost = 100;
  static constexpr unsigned kMostDays = 63;
  static constexpr unsigned kEpochs = 64;

  uint64_t tag = 0;   // of the table, in its place of the head
  double level = 0;   // -100 … 100, as it was at `last`
  unsigned days = 0;  // on which it changed, at most 63
  Minute first = 0, last = 0;
  uint32_t network = 0;  // hash of the network recorded at a refusal; 0: none
  Minute network_at = 0;
  bool networks = false;   // several of them within the time that they are remembered: none counts
  bool confirmed = false;  // one of us wrote after the network was recorded: it speaks for the sender from then on

  bool proven = false;  // mail of theirs proved to be theirs: no network speaks for them any more

  unsigned epoch = 0;   // of the address or domain that it belongs to; see Correspondence::set()
  bool set = false;     // by an administrator: it outlives all that belonged to it before, which would count again
  bool of_day = false;  // what was done on the day of `last`: worth nothing on the next

  bool is_known() const { return tag != 0; }  // false: the table had none
  Cells cells() const;
  static Relation of(const Cells& cells);

  double level_at(Minute now, const Forgetting& forgetting) const;
  // Adds to the level, the less the nearer to its end it is. What comes on the same day as the last change counts a
  // tenth: a burst builds little, and steady correspondence much.
  void change(double amount, Minute now, const Forgetting& forgetting);

  // One of us wrote to them: whatever was before is forgiven, and the level is `amount` at least.
  void befriend(double amount, Minute now, const Forgetting& forgetting);

  // Mail came that proved to be theirs.
  void prove();

  // The network of somebody unproven whose mail was refused. Once it is confirmed no other takes its place, so that
  // nobody who forges a friend comes to be taken for them; and there is none of whoever proved himself before.
  void record_network(uint32_t hash, Minute now, const Forgetting& forgetting);
  bool is_from(uint32_t hash, Minute now, const Forgetting& forgetting) const;

  bool has_network(Minute now) const;  // recorded, and remembered still

  static Minute minute_of(SystemTime time);
  static SystemTime time_of(Minute minute);
  static uint64_t worth(const Cells& cells, Minute now);
};

}  // namespace doorward::trust
