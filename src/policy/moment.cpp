#include "policy/moment.h"

namespace doorward::policy {
namespace {

// Exactly `digits` digits at the front, which are taken away; -1 where they are not there.
int take(std::string_view& text, size_t digits) {
  int number = 0;
  if (text.size() < digits) return -1;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return number;
}

bool skip(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<SystemTime> parse_moment(std::string_view text) {
  using namespace std::chrono;
  const int y = take(text, 4);
  if (y < 0 || !skip(text, '-')) return std::nullopt;
  const int m = take(text, 2);
  if (m < 0 || !skip(text, '-')) return std::nullopt;
  const int d = take(text, 2);
  if (d < 0) return std::nullopt;
  const year_month_day date(year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d)));
  if (!date.ok()) return std::nullopt;
  if (text.empty()) return SystemTime(sys_days(date));
  if (!skip(text, 'T') && !skip(text, ' ')) return std::nullopt;
  const int hour = take(text, 2);
  if (hour < 0 || hour > 23 || !skip(text, ':')) return std::nullopt;
  const int minute = take(text, 2);
  if (minute < 0 || minute > 59 || !skip(text, ':')) return std::nullopt;
  const int second = take(text, 2);
  if (second < 0 || second > 60 || !skip(text, 'Z') || !text.empty()) return std::nullopt;
  return SystemTime(sys_days(date)) + hours(hour) + minutes(minute) + seconds(second);
}

}  // namespace doorward::policy
