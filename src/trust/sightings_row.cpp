#include "trust/sightings_row.h"

#include <bit>
#include <cmath>

namespace doorward::trust {

double DomainSet::count() const {
  const int empty = 64 - std::popcount(bits);
  if (empty == 64) return 0;
  // With one bit left the estimate is 266; with none all that is known is that there were as many, or more.
  return 64 * std::log(64.0 / (empty == 0 ? 1 : empty));
}

uint64_t Row::worth(const Cells& cells, uint32_t generation) {
  const Row row = of(cells);
  if (row.age(generation) > (row.own ? kOwnGenerations : 1)) return 1;
  const auto domains = static_cast<uint64_t>(std::popcount(row.recent.bits | row.before.bits));
  return (row.own ? 8 : domains) * kGenerations + (kGenerations - row.age(generation));
}

}  // namespace doorward::trust
