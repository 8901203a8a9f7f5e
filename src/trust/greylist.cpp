#include "trust/greylist.h"

#include <algorithm>
#include <utility>

#include "trust/keyed_hash.h"
#include "trust/relation.h"

namespace doorward::trust {
namespace {

using Minute = Relation::Minute;
using std::chrono::minutes;

constexpr uint32_t kVersion = 1;
enum Kind : uint8_t { kTry = 1, kOrigin };

constexpr Minute kRetry = minutes(Greylist::kRetryWithin).count();
constexpr Minute kKnown = minutes(Greylist::kKnownFor).count();
constexpr Minute kRefreshAfter = 24 * 60;  // what is used daily is written daily, not with each mail

// An entry's head: tag, whether it is an origin's, and a minute: of the first try, or of an origin's last mail. Its
// second cell is 1, as nothing else is to be said of it.
struct Entry {
  uint64_t tag = 0;
  bool origin = false;
  Minute at = 0;
  static Entry of(const Cells& cells) {
    return {cells.head >> KeptTable::kTagShift << KeptTable::kTagShift, ((cells.head >> 32) & 1) != 0,
            static_cast<Minute>(cells.head)};
  }
  Cells cells() const { return {tag | uint64_t{origin} << 32 | at, 1, 0}; }
  // What begins later than now was written while the clock was ahead: it would wait for that time to come.
  bool is_over(Minute now) const { return at == 0 || at > now + 1 || now > at + (origin ? kKnown : kRetry); }
};

uint64_t worth(const Cells& cells, Minute now) {
  const Entry entry = Entry::of(cells);
  if (entry.is_over(now)) return 1;
  const Minute left = entry.at + (entry.origin ? kKnown : kRetry) - now;
  return (entry.origin ? uint64_t{kKnown} : 2) + left;
}

}  // namespace

struct Greylist::State {
  KeyedHash hash;
  std::unique_ptr<Kept> kept;

  uint64_t of_origin(const Attempt& attempt) const { return hash.of(kOrigin, attempt.customer, {attempt.origin}); }
  uint64_t of_try(const Attempt& attempt, const std::string& recipient) const {
    return hash.of(kTry, attempt.customer, {attempt.origin, attempt.sender, recipient});
  }
  Entry find(uint64_t of) const { return Entry::of(kept->table().find(of)); }
  void put(uint64_t of, bool origin, Minute now) {
    kept->change(of, worth, now, [&](const Cells& stored, bool) {
      return Entry{Entry::of(stored).tag, origin, std::max<Minute>(now, 1)}.cells();
    });
  }
};

Result<std::unique_ptr<Greylist>> Greylist::open(Options options) {
  auto state = std::make_unique<State>();
  if (!options.directory.empty()) {
    auto hash = KeyedHash::open(options.directory, options.read_only);
    if (!hash) return std::unexpected(hash.error());
    state->hash = *hash;
  }
  auto kept = Kept::open({.name = "greylist",
                          .entries = options.entries,
                          .directory = std::move(options.directory),
                          .version = kVersion,
                          .read_only = options.read_only});
  if (!kept) return std::unexpected(kept.error());
  state->kept = std::move(*kept);
  return std::unique_ptr<Greylist>(new Greylist(std::move(state)));
}

Greylist::Greylist(std::unique_ptr<State> state) : state_(std::move(state)) {}
Greylist::~Greylist() = default;

Greylist::Standing Greylist::look_up(const Attempt& attempt, SystemTime time) const {
  const Minute now = Relation::minute_of(time);
  if (!state_->find(state_->of_origin(attempt)).is_over(now)) return Standing::known;
  Standing standing = Standing::unknown;
  for (const std::string& recipient : attempt.recipients) {
    const Entry entry = state_->find(state_->of_try(attempt, recipient));
    if (entry.is_over(now)) continue;
    if (now >= entry.at + static_cast<Minute>(attempt.delay.count())) return Standing::came_again;
    standing = Standing::waits;
  }
  return standing;
}

void Greylist::note(const Attempt& attempt, SystemTime time) {
  State& state = *state_;
  const Minute now = Relation::minute_of(time);
  switch (look_up(attempt, time)) {
    case Standing::known:
      if (state.find(state.of_origin(attempt)).at + kRefreshAfter < now) state.put(state.of_origin(attempt), true, now);
      return;
    case Standing::came_again:
      state.put(state.of_origin(attempt), true, now);
      return;
    case Standing::unknown:
    case Standing::waits:
      break;
  }
  // Rounded up, or a delay of a minute could be over after a second.
  const Minute begins = Relation::minute_of(time + std::chrono::minutes(1) - SystemTime::duration(1));
  for (const std::string& recipient : attempt.recipients) {
    const uint64_t of = state.of_try(attempt, recipient);
    if (state.find(of).is_over(now)) state.put(of, false, begins);
  }
}

Result<void> Greylist::flush() { return state_->kept->flush(); }
Kept::Fill Greylist::fill() const { return state_->kept->fill(); }

}  // namespace doorward::trust
