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
  }
  ++lanes_[place->second].users;
  return place->second;
}

void Lanes::unuse(uint32_t number) {
  Lane& lane = lanes_[number];
  // What was learnt of a destination is kept while there are not too many.
  if (--lane.users == 0 && lane.in_flight == 0 && by_destination_.size() > kMostRemembered) forget(number);
}

std::optional<uint32_t> Lanes::find(const Destination& destination) const {
  const auto found = by_destination_.find(destination);
  if (found == by_destination_.end()) return std::nullopt;
  return found->second;
}

void Lanes::forget(uint32_t number) {
  Lane& lane = lanes_[number];
  if (lane.wakes_at != kNever) waiting_[side(number)].erase({lane.wakes_at, number});
  if (lane.in_turn) std::erase(turns_[side(number)], number);
  by_destination_.erase(lane.destination);
  lane = Lane{};
  free_.push_back(number);
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
// are moved to turns_ by take().
void Lanes::place(uint32_t number) {
  Lane& lane = lanes_[number];
  auto& waiting = waiting_[side(number)];
  if (lane.wakes_at != kNever) waiting.erase({lane.wakes_at, number});
  lane.wakes_at = kNever;
  if (lane.in_turn || lane.heap.empty() || lane.in_flight >= lane.limit) return;
  lane.wakes_at = std::max(lane.heap.front().at, lane.closed_until);
  waiting.emplace(lane.wakes_at, number);
}

std::optional<Due> Lanes::take(Spool::For whom, int64_t now, uint32_t& taken_from) {
  const size_t which = whom == Spool::For::vault ? 1 : 0;
  auto& waiting = waiting_[which];
  auto& turns = turns_[which];
  while (!waiting.empty() && waiting.begin()->first <= now) {
    const uint32_t number = waiting.begin()->second;
    waiting.erase(waiting.begin());
    lanes_[number].wakes_at = kNever;
    lanes_[number].in_turn = true;
    turns.push_back(number);
  }
  while (!turns.empty()) {
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
    lane.in_turn = true;
    turns.push_back(number);
    taken_from = number;
    return due;
  }
  return std::nullopt;
}

void Lanes::skipped(uint32_t number) {
  --lanes_[number].in_flight;
  place(number);
}

void Lanes::finished(uint32_t number, Health health, int64_t now) {
  Lane& lane = lanes_[number];
  --lane.in_flight;
  switch (health) {
    case Health::unknown:
      break;
    case Health::good:
      // After a time of death one probe at a time is enough no longer.
      if (lane.misfortunes > 0) lane.limit = std::max(lane.limit, options_.first_concurrency);
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
      if (lane.closed_until <= now) ++lane.misfortunes;
      lane.successes = 0;
      lane.limit = 1;
      lane.closed_until = std::max(lane.closed_until, now + pause(kFirstPause, kLongestPause, lane.misfortunes));
      break;
  }
  place(number);
}

void Lanes::wake_all() {
  for (uint32_t number = 0; number < lanes_.size(); ++number) {
    lanes_[number].closed_until = 0;
    place(number);
  }
}

int64_t Lanes::next_due(Spool::For whom) const {
  const size_t which = whom == Spool::For::vault ? 1 : 0;
  if (!turns_[which].empty()) return 0;
  return waiting_[which].empty() ? kNever : waiting_[which].begin()->first;
}

}  // namespace doorward::spool
