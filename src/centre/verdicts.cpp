#include "centre/verdicts.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>
#include <utility>

#include "centre/verdicts_row.h"

namespace doorward::centre {
namespace {

using std::chrono::minutes;
using trust::Cells;
using trust::Likeness;

constexpr SystemTime kBeginning = std::chrono::sys_days(std::chrono::year(2020) / 1 / 1);
constexpr uint32_t kVersion = 1;

struct Moment {
  explicit Moment(SystemTime time)
      : minute(static_cast<uint32_t>(std::clamp<int64_t>(std::chrono::floor<minutes>(time - kBeginning).count(), 0,
                                                         (1 << VerdictsRow::kMinuteBits) - 1))),
        day(minute / (24 * 60) & (VerdictsRow::kDays - 1)) {}
  uint32_t minute, day;
};

// Which of the sixteen places of a set is a reporter's.
unsigned place_of(uint64_t reporter) { return static_cast<unsigned>((reporter * 0x9E3779B97F4A7C15u) >> 60); }

// How many reporters a set stands for, as trust::DomainSet has it.
double count_of(uint16_t set) {
  const int empty = 16 - std::popcount(set);
  return empty == 16 ? 0 : 16 * std::log(16.0 / std::max(empty, 1));
}

// Two bands have to agree: one is shared by chance. So of all bands the second largest counts.
class Agreed {
 public:
  explicit Agreed(bool needs_two) : needs_two_(needs_two) {}
  void add(double value) {
    if (value > first_) {
      second_ = std::exchange(first_, value);
    } else {
      second_ = std::max(second_, value);
    }
  }
  double value() const { return needs_two_ ? second_ : first_; }

 private:
  bool needs_two_;
  double first_ = 0, second_ = 0;
};

}  // namespace

bool Said::any() const {
  return std::ranges::any_of(weight, [](double each) { return each > 0; });
}

struct Verdicts::State {
  std::unique_ptr<trust::Kept> kept;

  Said look_up(std::span<const uint64_t> hashes, bool banded, Moment now) const;
  void vote(uint64_t hash, Voice voice, uint64_t reporter, double weight, Moment now);
};

Said Verdicts::State::look_up(std::span<const uint64_t> hashes, bool banded, Moment now) const {
  std::array<Agreed, kVoices> weights{Agreed(banded), Agreed(banded), Agreed(banded), Agreed(banded)};
  Agreed reporters(banded);
  uint32_t earliest = UINT32_MAX;
  for (const uint64_t hash : hashes) {
    const Cells cells = kept->table().find(hash);
    if (cells.empty()) continue;
    const VerdictsRow stored = VerdictsRow::of(cells), row = stored.on(now.day);
    if (row.is_empty()) continue;
    earliest = std::min(earliest, row.minute);
    for (size_t voice = 0; voice < kVoices; ++voice) weights[voice].add(row.weight[voice] * VerdictsRow::kUnit);
    // The set of the last day on which something was said: of today's there may be none yet.
    const auto& spoke = stored.today;
    reporters.add(count_of(static_cast<uint16_t>(spoke[0] | spoke[1] | spoke[3])));
  }
  Said said;
  for (size_t voice = 0; voice < kVoices; ++voice) said.weight[voice] = weights[voice].value();
  said.reporters = reporters.value();
  if (said.any()) said.since = kBeginning + minutes(earliest);
  return said;
}

void Verdicts::State::vote(uint64_t hash, Voice voice, uint64_t reporter, double weight, Moment now) {
  const auto of = static_cast<size_t>(voice);
  const auto bit = static_cast<uint16_t>(1u << place_of(reporter));
  const auto units = static_cast<uint32_t>(std::lround(std::clamp(weight, 0.0, 1.0) / VerdictsRow::kUnit));
  if (units == 0) return;
  kept->change(hash, &VerdictsRow::worth, now.day, [&](const Cells& stored, bool known) {
    VerdictsRow row = known ? VerdictsRow::of(stored).on(now.day) : VerdictsRow{.tag = stored.head, .day = now.day};
    if (row.is_empty()) row.minute = now.minute;
    if ((row.today[of] & bit) != 0) return known ? stored : Cells{};
    row.today[of] |= bit;
    row.weight[of] = static_cast<uint16_t>(std::min<uint32_t>(row.weight[of] + units, UINT16_MAX));
    return row.cells();
  });
}

Result<std::unique_ptr<Verdicts>> Verdicts::open(Options options) {
  auto kept = trust::Kept::open({.name = "verdicts",
                                 .entries = options.entries,
                                 .directory = std::move(options.directory),
                                 .version = kVersion,
                                 .parameter = trust::kFingerprintVersion});
  if (!kept) return std::unexpected(kept.error());
  auto state = std::make_unique<State>();
  state->kept = std::move(*kept);
  return std::unique_ptr<Verdicts>(new Verdicts(std::move(state)));
}

Verdicts::Verdicts(std::unique_ptr<State> state) : state_(std::move(state)) {}

Verdicts::~Verdicts() = default;

Verdicts::Found Verdicts::look_up(const trust::Fingerprint& print, SystemTime now) const {
  const Moment moment(now);
  for (const Likeness kind : {Likeness::text, Likeness::attachment}) {
    for (const uint64_t hash : print.of(kind)) state_->kept->table().prefetch(hash);
  }
  return {state_->look_up(print.of(Likeness::text), true, moment),
          state_->look_up(print.of(Likeness::attachment), false, moment)};
}

void Verdicts::vote(const trust::Fingerprint& print, Voice voice, uint64_t reporter, double weight, SystemTime now) {
  const Moment moment(now);
  for (const Likeness kind : {Likeness::text, Likeness::attachment}) {
    for (const uint64_t hash : print.of(kind)) state_->vote(hash, voice, reporter, weight, moment);
  }
}

Result<void> Verdicts::flush() { return state_->kept->flush(); }

trust::Kept::Fill Verdicts::fill() const { return state_->kept->fill(); }

}  // namespace doorward::centre
