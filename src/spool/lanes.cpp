#include "spool/lanes.h"

#include <algorithm>

namespace doorward::spool {
namespace {

constexpr int64_t kFirstPause = 15'000;     // milliseconds that a destination is left alone when it does not answer
constexpr int64_t kLongestPause = 900'000;  // what that grows to
constexpr int64_t kBusyPause = 1'000;       // and when it said that it is busy
constexpr int64_t kLongestBusyPause = 60'000;
constexpr size_t kMostRemembered = 4096;  // destinations without mail

bool later(const Due& a, const Due& b) { return a.at > b.at; }

// Doubled with each misfortune after the first.
int64_t pause(int64_t first, int64_t longest, unsigned misfortunes) {
  return std::min(longest, first << std::min(misfortunes - 1, 20U));
}

}  // namespace

uint32_t Lanes::use(const Destination& destination) {
  const auto [place, fresh] = by_destination_.emplace(destination, 0);
  if (fresh) {
    if (free_.empty()) {
      free_.push_back(static_cast<uint32_t>(lanes_.size()));
      lanes_.emplace_back();
    }
    place->second = free_.back();
    free_.pop_back();
    Lane& made = lanes_[place->second];
    made = Lane{};
    made.destination = destination;
    made.limit = options_.first_concurrency;
    if (destination.kind != Destination::Kind::mx) made.standing = Standing::proven;
  }
  Lane& lane = lanes_[place->second];
  if (lane.idle_since != 0) idle_.erase({lane.idle_since, place->second});
  lane.idle_since = 0;
  ++lane.users;
  return place->second;
}

void Lanes::unuse(uint32_t number) {
  --lanes_[number].users;
  idle(number);
}

// What was learnt of a destination is kept for when it has mail again, that of the latest ones.
void Lanes::idle(uint32_t number) {
  Lane& lane = lanes_[number];
  if (lane.users != 0 || lane.in_flight != 0 || lane.idle_since != 0) return;
  lane.idle_since = ++idles_;
  idle_.emplace(lane.idle_since, number);
  if (idle_.size() > kMostRemembered) forget(idle_.begin()->second);
}

void Lanes::doubt(uint32_t number) {
  if (lanes_[number].standing == Standing::untried) stand(number, Standing::failed);
}

void Lanes::trust_again(uint32_t number) {
  const Lane& lane = lanes_[number];
  if (lane.standing == Standing::failed && lane.misfortunes == 0) stand(number, Standing::untried);
}

std::optional<uint32_t> Lanes::find(const Destination& destination) const {
  const auto found = by_destination_.find(destination);
  if (found == by_destination_.end()) return std::nullopt;
  return found->second;
}

void Lanes::forget(uint32_t number) {
  Lane& lane = lanes_[number];
  if (lane.wakes_at != kNever) side(number).waiting.erase({lane.wakes_at, number});
  if (lane.in_turn) std::erase(side(number).turns[static_cast<size_t>(lane.turn)], number);
  if (lane.idle_since != 0) idle_.erase({lane.idle_since, number});
  by_destination_.erase(lane.destination);
  lane = Lane{};
  free_.push_back(number);
}

// Backends are few, and an administrator named them: they stay among the proven.
void Lanes::stand(uint32_t number, Standing standing) {
  Lane& lane = lanes_[number];
  if (lane.standing == standing || lane.destination.kind != Destination::Kind::mx) return;
  auto& under_way = side(number).under_way;
  under_way[static_cast<size_t>(lane.standing)] -= lane.in_flight;
  under_way[static_cast<size_t>(standing)] += lane.in_flight;
  lane.standing = standing;
  if (!lane.in_turn) return;
  std::erase(side(number).turns[static_cast<size_t>(lane.turn)], number);
  into_turn(number);
}

uint32_t Lanes::schedule(uint32_t lane, uint32_t slot, int64_t at) {
  if (++stamps_ == 0) ++stamps_;
  auto& heap = lanes_[lane].heap;
  heap.push_back({at, slot, stamps_});
  std::ranges::push_heap(heap, later);
  // Only where it is the first one does the lane wake earlier.
  if (heap.front().stamp == stamps_) place(lane);
  return stamps_;
}

// A lane stands in one of the two orders, or in none while it has no room or nothing to do. Lanes whose time has come
// are moved to turns by take().
void Lanes::place(uint32_t number) {
  Lane& lane = lanes_[number];
  auto& waiting = side(number).waiting;
  if (lane.wakes_at != kNever) waiting.erase({lane.wakes_at, number});
  lane.wakes_at = kNever;
  if (lane.in_turn || lane.heap.empty() || lane.in_flight >= lane.limit) return;
  lane.wakes_at = std::max(lane.heap.front().at, lane.closed_until);
  waiting.emplace(lane.wakes_at, number);
}

void Lanes::into_turn(uint32_t number) {
  Lane& lane = lanes_[number];
  lane.in_turn = true;
  lane.turn = lane.standing;
  side(number).turns[static_cast<size_t>(lane.turn)].push_back(number);
}

std::optional<Due> Lanes::take(Spool::For whom, int64_t now, uint32_t& taken_from) {
  Side& side = sides_[whom == Spool::For::vault ? 1 : 0];
  while (!side.waiting.empty() && side.waiting.begin()->first <= now) {
    const uint32_t number = side.waiting.begin()->second;
    side.waiting.erase(side.waiting.begin());
    lanes_[number].wakes_at = kNever;
    into_turn(number);
  }
  for (size_t i = 0, first = side.taken++; i < kStandings; ++i) {
    const auto standing = static_cast<Standing>((first + i) % kStandings);
    if (const auto due = take(side, standing, now, taken_from)) return due;
  }
  return std::nullopt;
}

std::optional<Due> Lanes::take(Side& side, Standing standing, int64_t now, uint32_t& taken_from) {
  const size_t which = static_cast<size_t>(standing);
  const std::array<size_t, kStandings> most{SIZE_MAX, options_.most_untried, options_.most_failed};
  auto& turns = side.turns[which];
  while (!turns.empty() && side.under_way[which] < most[which]) {
    const uint32_t number = turns.front();
    turns.pop_front();
    Lane& lane = lanes_[number];
    lane.in_turn = false;
    const bool may =
        !lane.heap.empty() && lane.in_flight < lane.limit && lane.heap.front().at <= now && lane.closed_until <= now;
    if (!may) {
      place(number);
      continue;
    }
    std::ranges::pop_heap(lane.heap, later);
    const Due due = lane.heap.back();
    lane.heap.pop_back();
    ++lane.in_flight;
    ++side.under_way[which];
    into_turn(number);
    taken_from = number;
    return due;
  }
  return std::nullopt;
}

void Lanes::ended(uint32_t number) {
  Lane& lane = lanes_[number];
  --lane.in_flight;
  --side(number).under_way[static_cast<size_t>(lane.standing)];
}

void Lanes::skipped(uint32_t number) {
  ended(number);
  place(number);
  idle(number);
}

void Lanes::finished(uint32_t number, Health health, int64_t now) {
  Lane& lane = lanes_[number];
  ended(number);
  switch (health) {
    case Health::unknown:
      break;
    case Health::good:
      // After a time of death one probe at a time is enough no longer.
      if (lane.misfortunes > 0) lane.limit = std::max(lane.limit, options_.first_concurrency);
      stand(number, Standing::proven);
      lane.misfortunes = 0;
      lane.closed_until = 0;
      if (++lane.successes >= lane.limit) {
        lane.successes = 0;
        lane.limit = std::min(lane.limit + 1, options_.most_concurrency);
      }
      break;
    case Health::busy:
      ++lane.misfortunes;
      lane.successes = 0;
      lane.limit = std::max(1U, lane.limit / 2);
      lane.closed_until = now + pause(kBusyPause, kLongestBusyPause, lane.misfortunes);
      break;
    case Health::dead:
      // Those that were on their way when it died are one misfortune.
      stand(number, Standing::failed);
      if (lane.closed_until <= now) ++lane.misfortunes;
      lane.successes = 0;
      lane.limit = 1;
      lane.closed_until = std::max(lane.closed_until, now + pause(kFirstPause, kLongestPause, lane.misfortunes));
      break;
  }
  place(number);
  idle(number);
}

void Lanes::wake_all() {
  for (uint32_t number = 0; number < lanes_.size(); ++number) {
    lanes_[number].closed_until = 0;
    place(number);
  }
}

int64_t Lanes::next_due(Spool::For whom) const {
  const Side& side = sides_[whom == Spool::For::vault ? 1 : 0];
  const std::array<size_t, kStandings> most{SIZE_MAX, options_.most_untried, options_.most_failed};
  for (size_t i = 0; i < kStandings; ++i)
    if (!side.turns[i].empty() && side.under_way[i] < most[i]) return 0;
  return side.waiting.empty() ? kNever : side.waiting.begin()->first;
}

}  // namespace doorward::spool
