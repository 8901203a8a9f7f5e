#include "trust/sightings.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "mail/ascii.h"
#include "trust/kept.h"
#include "trust/sightings_row.h"

namespace doorward::trust {
namespace {

using std::chrono::minutes;

constexpr SystemTime kBeginning = std::chrono::sys_days(std::chrono::year(2020) / 1 / 1);
constexpr double kMostForOwn = 2;  // other domains
constexpr std::array kLikenessOrder = {Likeness::text, Likeness::structure, Likeness::attachment, Likeness::image};

Minute minute_of(SystemTime time) {
  const auto passed = std::chrono::duration_cast<minutes>(time - kBeginning).count();
  return static_cast<Minute>(std::clamp<int64_t>(passed, 0, (1 << Row::kMinuteBits) - 1));
}

SystemTime time_of(Minute minute) { return kBeginning + minutes(minute); }

bool is_banded(Likeness kind) { return kind == Likeness::text || kind == Likeness::structure; }

// Domains in at least two of the sets: bands are shared by chance too, two of them by one domain hardly.
struct Twice {
  uint64_t once = 0, twice = 0;
  void add(uint64_t bits) {
    twice |= once & bits;
    once |= bits;
  }
};

}  // namespace

Sender Sender::of_domain(std::string_view domain) {
  while (domain.ends_with('.')) domain.remove_suffix(1);
  if (domain.empty()) return {};
  const std::string lowered = mail::lowered(domain);
  return {XXH3_64bits(lowered.data(), lowered.size()) | 1};
}

struct Sightings::State {
  minutes generation_length{};
  std::unique_ptr<Kept> kept;

  uint32_t generation_of(Minute minute) const {
    return static_cast<uint32_t>(minute / generation_length.count()) & (Row::kGenerations - 1);
  }
  // The row as it is now: what is too old is gone from it.
  Row current(Row row, Minute now) const {
    const uint32_t generation = generation_of(now), age = row.age(generation);
    if (row.tag == 0 || (row.own && age <= Row::kOwnGenerations)) return row;
    if (age == 0 && !row.own) return row;
    row.before = age == 1 && !row.own ? row.recent : DomainSet{};
    row.recent = {};
    row.generation = generation;
    row.own = false;
    if (row.before.bits == 0) row.first = now;
    return row;
  }
  Row find(uint64_t hash, Minute now) const { return current(Row::of(kept->table().find(hash)), now); }
  // Sets are of the last two generations, so no domain in them is older.
  SystemTime since(const Row& row, Minute now) const {
    const auto length = static_cast<Minute>(generation_length.count());
    const Minute oldest = now / length * length - (now >= length ? length : 0);
    return time_of(std::max(row.first, oldest));
  }
  Sighting look_up(std::span<const uint64_t> hashes, Likeness kind, Sender sender, Minute now) const;
  void change(uint64_t hash, Minute now, Sender sender);
  void mark_own(uint64_t hash, Minute now);
};

Sighting Sightings::State::look_up(std::span<const uint64_t> hashes, Likeness kind, Sender sender, Minute now) const {
  const uint64_t mine = sender.hash == 0 ? 0 : DomainSet::bit_of(sender.hash);
  const bool banded = is_banded(kind);
  Sighting seen;
  Twice sets;
  size_t own = 0;
  Minute earliest = UINT32_MAX;
  for (const uint64_t hash : hashes) {
    const Row row = find(hash, now);
    own += row.own;
    const uint64_t others = row.own ? 0 : (row.recent.bits | row.before.bits) & ~mine;
    if (others == 0) continue;
    sets.add(others);
    // Of several files the one that most domains sent speaks; bands speak together.
    const double count = DomainSet{others}.count();
    if (banded ? row.first < earliest : count > seen.others) {
      earliest = row.first;
      seen.since = since(row, now);
      seen.others = count;
    }
  }
  if (banded) seen.others = DomainSet{sets.twice}.count();
  seen.own = own >= (banded ? 2u : 1u);
  return seen;
}

void Sightings::State::change(uint64_t hash, Minute now, Sender sender) {
  const uint32_t generation = generation_of(now);
  kept->change(hash, &Row::worth, generation, [&](const Cells& stored, bool known) {
    Row row = known ? current(Row::of(stored), now) : Row{.tag = stored.head, .generation = generation, .first = now};
    if (!row.own) row.recent.bits |= DomainSet::bit_of(sender.hash);
    return row.cells();
  });
}

void Sightings::State::mark_own(uint64_t hash, Minute now) {
  const uint32_t generation = generation_of(now);
  kept->change(hash, &Row::worth, generation, [&](const Cells& stored, bool known) {
    const Row before = Row::of(stored);
    if (known && before.own && before.age(generation) == 0) return stored;
    const Row row = current(before, now);
    if (known && DomainSet{row.recent.bits | row.before.bits}.count() > kMostForOwn + 0.5) return stored;
    return Row{.tag = before.tag, .own = true, .generation = generation, .first = now}.cells();
  });
}

Result<std::unique_ptr<Sightings>> Sightings::open(Options options) {
  auto state = std::make_unique<State>();
  state->generation_length = std::clamp<minutes>(options.window / 2, minutes(1), std::chrono::days(15));
  auto kept = Kept::open({.name = "sightings",
                          .entries = options.entries,
                          .directory = std::move(options.directory),
                          .version = kFingerprintVersion,
                          .parameter = static_cast<uint32_t>(state->generation_length.count()),
                          .read_only = options.read_only});
  if (!kept) return std::unexpected(kept.error());
  state->kept = std::move(*kept);
  return std::unique_ptr<Sightings>(new Sightings(std::move(state)));
}

Sightings::Sightings(std::unique_ptr<State> state) : state_(std::move(state)) {}

Sightings::~Sightings() = default;

Sightings::Seen Sightings::look_up(const Fingerprint& print, Sender sender, SystemTime now) const {
  const Minute minute = minute_of(now);
  // All lines are asked for at once: the table is far larger than the cache.
  for (const Likeness kind : kLikenessOrder) {
    for (const uint64_t hash : print.of(kind)) state_->kept->table().prefetch(hash);
  }
  Seen seen;
  for (const Likeness kind : kLikenessOrder) {
    seen[static_cast<size_t>(kind)] = state_->look_up(print.of(kind), kind, sender, minute);
  }
  return seen;
}

void Sightings::count(const Fingerprint& print, Sender sender, SystemTime now) {
  if (sender.hash == 0) return;
  for (const Likeness kind : kLikenessOrder) {
    for (const uint64_t hash : print.of(kind)) state_->change(hash, minute_of(now), sender);
  }
}

void Sightings::count_own(const Fingerprint& print, SystemTime now) {
  for (const Likeness kind : kLikenessOrder) {
    for (const uint64_t hash : print.of(kind)) state_->mark_own(hash, minute_of(now));
  }
}

Result<void> Sightings::flush() { return state_->kept->flush(); }

Kept::Fill Sightings::fill() const { return state_->kept->fill(); }

}  // namespace doorward::trust
