#include "sheet/price.h"

#include <algorithm>
#include <cmath>

namespace doorward::sheet {
namespace {

Points points_of(const Finding& finding, const FilterPrice& price) {
  if (finding.own_points) return *finding.own_points;
  // A hostile strength (NaN, infinite) must not poison the sum.
  if (!std::isfinite(finding.strength)) return {};
  return Points::of(std::clamp(finding.strength * price.weight, -1e6, 1e6));
}

// What one filter has summed up so far. A mail has findings of a handful of filters: a list beats a map.
struct FilterSum {
  std::string_view filter;
  const FilterPrice* price;
  Points sum;
};

FilterSum& sum_of(std::vector<FilterSum>& sums, std::string_view filter, const Pricing& pricing) {
  for (auto& known : sums) {
    if (known.filter == filter) return known;
  }
  const auto found = pricing.filters.find(filter);
  const bool pays = found != pricing.filters.end() && found->second.on;
  return sums.emplace_back(filter, pays ? &found->second : nullptr, Points());
}

}  // namespace

bool Pricing::counts(uint64_t owner) const {
  return owner == 0 || std::binary_search(owners.begin(), owners.end(), owner);
}

Priced price(std::span<const Finding> findings, const Pricing& pricing) {
  Priced result;
  result.points.resize(findings.size());
  result.counted.resize(findings.size());
  std::vector<FilterSum> sums;
  for (size_t i = 0; i < findings.size(); ++i) {
    const Finding& finding = findings[i];
    auto& filter = sum_of(sums, finding.filter, pricing);
    if (filter.price == nullptr || !pricing.counts(finding.owner)) continue;
    result.counted[i] = true;
    result.points[i] = points_of(finding, *filter.price);
    filter.sum += result.points[i];
    if (result.stance == Stance::none) result.stance = finding.stance;
  }
  for (const auto& filter : sums) {
    if (filter.price == nullptr) continue;
    const Points cap = std::max(filter.price->cap, Points());
    result.total += std::clamp(filter.sum, -cap, cap);
  }
  result.scl = Scl::of(result.total);
  return result;
}

}  // namespace doorward::sheet
