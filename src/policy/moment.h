// Points in time as the policy writes them.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace doorward::policy {

// "2026-01-31T12:00:00Z" or "2026-01-31" (its first second), UTC (RFC 3339 without offsets); none where it is no such
// time.
std::optional<SystemTime> parse_moment(std::string_view text);

}  // namespace doorward::policy
