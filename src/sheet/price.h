// price(): the one pure function that makes points of findings, so that one judgement serves all recipients and every
// what-if.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sheet/finding.h"

namespace doorward::sheet {

// What a rule pays for one filter's findings.
struct FilterPrice {
  bool on = true;
  double weight = 1;             // points for strength 1; 1 to 10, settable in steps of 0.1
  Points cap = Points::of(100);  // the filter's sum stays within -cap … +cap
};

using PriceList = std::map<std::string, FilterPrice, std::less<>>;  // by filter; those not named pay nothing

// The prices of one rule, and whose findings count under it. Views: both outlive the call.
struct Pricing {
  const PriceList& filters;
  std::span<const uint64_t> owners;  // sorted; owner 0 always counts
  bool counts(uint64_t owner) const;
};

struct Priced {
  std::vector<Points> points;  // one for each finding, before the filter's cap; 0 where the finding does not count
  std::vector<bool> counted;   // whether it counts for this recipient at all
  Points total;                // after the caps
  Scl scl;
  Stance stance = Stance::none;  // of the findings that count; where both stand, of the one listed first
};

Priced price(std::span<const Finding> findings, const Pricing& pricing);

}  // namespace doorward::sheet
