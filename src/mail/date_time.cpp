#include "mail/date_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace doorward::mail {

// Months and days by hand: strftime's follow the locale.
std::string date_time(SystemTime time) {
  using std::chrono::sys_days, std::chrono::year;
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  constexpr std::chrono::sys_seconds kFirst{}, kLast = sys_days(year(9999) / 12 / 31);
  const auto seconds = std::clamp(std::chrono::floor<std::chrono::seconds>(time), kFirst, kLast);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  return fmt::format("{}, {} {} {} {:02}:{:02}:{:02} +0000", kDays[std::chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

}  // namespace doorward::mail
