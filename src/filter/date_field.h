// Dates of header fields (RFC 5322 §3.3, and the obsolete forms of §4.3), read as mail programs write them.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace doorward::filter {

struct DateField {
  std::chrono::sys_seconds time;
  int zone_minutes = 0;       // east of Greenwich
  bool zone_possible = true;  // -12:00 … +14:00, minutes below 60
};
std::optional<DateField> parse_date(std::string_view text);

}  // namespace doorward::filter
