// What gateways elsewhere saw of the same mail (D6), as the fingerprint service answers.
#pragma once

#include <string_view>

#include "filter/filter.h"

namespace doorward::filter {

inline constexpr std::string_view kFingerprintService = "fingerprint_service";

const Filter& fingerprint_service();

// So likely part of an outbreak that no trust and no pass outweighs it.
bool is_outbreak(const sheet::Finding& finding);

}  // namespace doorward::filter
