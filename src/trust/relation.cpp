#include "trust/relation.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace doorward::trust {
namespace {

using Minute = Relation::Minute;

constexpr SystemTime kBeginning = std::chrono::sys_days(std::chrono::year(2020) / 1 / 1);
constexpr unsigned kMinuteBits = 24, kDayBits = 6;
constexpr Minute kMinuteMask = (1u << kMinuteBits) - 1;
constexpr Minute kMinutesADay = 24 * 60;
constexpr Minute kNetworkFor = 14 * kMinutesADay;  // that a network recorded at a refusal is remembered
constexpr double kBurst = 0.1;
// An entry that an administrator set is kept so long: nothing of before counts for longer (Forgetting's default).
constexpr double kSetFor = 4 * 365;
constexpr uint64_t kSetWorth = 5'000;                              // more than that of a new friend
constexpr unsigned kProvenBit = 24, kSetBit = 25, kOfDayBit = 26;  // of the head
constexpr double kSteadyDays = 30;  // after so many days half-life is three times as long

double days_between(Minute from, Minute to) { return to > from ? static_cast<double>(to - from) / kMinutesADay : 0; }

}  // namespace

Minute Relation::minute_of(SystemTime time) {
  const auto passed = std::chrono::duration_cast<std::chrono::minutes>(time - kBeginning).count();
  return static_cast<Minute>(std::clamp<int64_t>(passed, 0, kMinuteMask));
}

SystemTime Relation::time_of(Minute minute) { return kBeginning + std::chrono::minutes(minute); }

// head: tag, days, what it is, last; second: level, first; third: network, when, epoch, whether confirmed, whether
// several
Cells Relation::cells() const {
  return {tag | static_cast<uint64_t>(days) << 32 | uint64_t{proven} << kProvenBit | uint64_t{set} << kSetBit |
              uint64_t{of_day} << kOfDayBit | last,
          std::bit_cast<uint32_t>(static_cast<float>(level)) | static_cast<uint64_t>(first) << 32,
          network | static_cast<uint64_t>(network_at) << 32 | static_cast<uint64_t>(epoch) << 56 |
              uint64_t{confirmed} << 62 | uint64_t{networks} << 63};
}

Relation Relation::of(const Cells& cells) {
  const auto level = static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(cells.second)));
  const auto is = [&](unsigned bit) { return (cells.head >> bit & 1) != 0; };
  return {.tag = cells.head >> KeptTable::kTagShift << KeptTable::kTagShift,
          .level = std::isfinite(level) ? std::clamp(level, -kMost, kMost) : 0,
          .days = static_cast<unsigned>(cells.head >> 32) & ((1u << kDayBits) - 1),
          .first = static_cast<Minute>(cells.second >> 32) & kMinuteMask,
          .last = static_cast<Minute>(cells.head) & kMinuteMask,
          .network = static_cast<uint32_t>(cells.third),
          .network_at = static_cast<Minute>(cells.third >> 32) & kMinuteMask,
          .networks = (cells.third >> 63) != 0,
          .confirmed = ((cells.third >> 62) & 1) != 0,
          .proven = is(kProvenBit),
          .epoch = static_cast<unsigned>(cells.third >> 56) & (kEpochs - 1),
          .set = is(kSetBit),
          .of_day = is(kOfDayBit)};
}

double Relation::level_at(Minute now, const Forgetting& forgetting) const {
  const double steady = std::min<double>(days > 0 ? days - 1 : 0, kSteadyDays) / kSteadyDays;
  const double half_life = forgetting.half_life * (1 + 2 * steady);
  const double lives = half_life > 0 ? days_between(last, now) / half_life : 1e9;
  const double left = forgetting.decay == Decay::halving ? std::exp2(-lives) : std::max(0.0, 1 - lives / 2);
  const double now_is = level * left;
  return std::abs(now_is) < 0.5 ? 0 : now_is;
}

void Relation::change(double amount, Minute now, const Forgetting& forgetting) {
  const double before = level_at(now, forgetting);
  const bool is_new_day = days == 0 || now / kMinutesADay > last / kMinutesADay;
  if (!is_new_day) amount *= kBurst;
  const double room = amount * before > 0 ? 1 - std::abs(before) / kMost : 1;
  level = std::clamp(before + amount * room, -kMost, kMost);
  if (first == 0 || before == 0) first = now;
  if (is_new_day && days < kMostDays) ++days;
  last = now;  // also where the clock was ahead before: what lies in the future would not decay until then
}

void Relation::befriend(double amount, Minute now, const Forgetting& forgetting) {
  if (level < 0) level = 0, days = 0;
  change(amount, now, forgetting);
  level = std::max(level, amount);
  confirmed = confirmed || (has_network(now) && !networks);
}

void Relation::prove() {
  proven = true;
  network = 0;
  confirmed = networks = false;
}

bool Relation::has_network(Minute now) const {
  return network != 0 && now < network_at + kNetworkFor && network_at < now + kMinutesADay;
}

void Relation::record_network(uint32_t hash, Minute now, const Forgetting& forgetting) {
  if (hash == 0 || proven) return;
  if (confirmed && level_at(now, forgetting) > 0) return;
  networks = has_network(now) && (networks || network != hash);
  confirmed = false;
  network = hash;
  network_at = now;
}

bool Relation::is_from(uint32_t hash, Minute now, const Forgetting& forgetting) const {
  return confirmed && network == hash && level_at(now, forgetting) > 0;
}

uint64_t Relation::worth(const Cells& cells, Minute now) {
  const Relation relation = of(cells);
  if (relation.of_day && now / kMinutesADay != relation.last / kMinutesADay) return 1;
  // Friends stay, and foes go first: there is no end of addresses from which spam is sent once.
  const double level = relation.level_at(now, {});
  const auto worth = level == 0 ? (relation.has_network(now) ? uint64_t{2} : uint64_t{1})
                                : 2 + static_cast<uint64_t>(level > 0 ? level * 100 : level * -10);
  return relation.set && days_between(relation.last, now) < kSetFor ? std::max(worth, kSetWorth) : worth;
}

}  // namespace doorward::trust
