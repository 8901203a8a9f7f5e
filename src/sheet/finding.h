// What a filter found. It carries no weight: price() makes points of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sheet/points.h"

namespace doorward::sheet {

// What blocks and passes ask for besides points.
enum class Stance { none, block, pass };

struct Finding {
  std::string_view filter;  // static storage: the filter's name
  std::string_view symbol;  // static storage: one of the filter's symbols
  double strength = 1;      // hits, or a likelihood from -1 to 1; negative speaks for the mail
  std::string evidence{};   // what was seen, short and printable; quoted to tenants, never to strangers
  // Whose finding it is: 0 for everyone; else the id of the tenant or list it comes from, and it counts for those
  // recipients only whose Pricing names that owner.
  uint64_t owner = 0;
  std::optional<Points> own_points{};  // word-list entries bring theirs, a hit; weight and strength do not count then
  Stance stance = Stance::none;
};

using Findings = std::vector<Finding>;

}  // namespace doorward::sheet
