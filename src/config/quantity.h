// Durations and sizes as people write them: "500ms", "30s", "5m", "2h", "7d"; "800B", "64kB", "25MB", "1GB", "4MiB".
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace doorward::config {

// A whole number with its unit: ms, s, m, h, d or w; "0" alone is fine. At most about 100 years.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);
// A whole number of octets with its unit: B, kB, MB, GB, TB (thousands) or KiB, MiB, GiB, TiB (1024); "0" alone is
// fine.
Result<uint64_t> parse_size(std::string_view text);

// The largest unit that gives a whole number.
std::string format_duration(std::chrono::milliseconds time);
std::string format_size(uint64_t octets);

}  // namespace doorward::config
