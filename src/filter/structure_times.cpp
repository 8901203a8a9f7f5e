#include <string>

#include "filter/date_field.h"
#include "filter/structure_signs.h"
#include "mail/ascii.h"

namespace doorward::filter {
namespace {

using namespace std::chrono_literals;

constexpr size_t kMostReceived = 50;
constexpr auto kHoursOff = 6h;  // clocks and zones of honest servers are wrong by less
constexpr auto kOld = 96h;
constexpr auto kAhead = 24h;

std::optional<DateField> received_date(const mime::Header& field) {
  const size_t semicolon = field.value.rfind(';');
  if (semicolon == std::string_view::npos) return std::nullopt;
  return parse_date(field.value.substr(semicolon + 1));
}

struct Way {
  std::optional<std::chrono::sys_seconds> newest, oldest;
};

Way follow_received(Signs& signs) {
  Way way;
  size_t count = 0;
  for (const auto& field : signs.message().headers().fields()) {
    if (!mail::equal_ignoring_case(field.name, "received")) continue;
    if (count == kMostReceived) break;
    const auto date = received_date(field);
    if (count++ == 0 && (!date || !field.value.contains("by"))) signs.found(Sign::received_unreadable, field.value);
    if (!date) continue;
    if (!way.newest) way.newest = date->time;
    // Newest first: each was written after the one below it.
    if (way.oldest && date->time > *way.oldest + kHoursOff) signs.found(Sign::received_backwards, field.value);
    way.oldest = date->time;
  }
  return way;
}

}  // namespace

void check_times(Signs& signs) {
  const Way way = follow_received(signs);
  const auto& headers = signs.message().headers();
  if (headers.find("Date") == nullptr) return signs.found(Sign::date_missing);
  const std::string text = headers.unfolded("Date");
  const auto date = parse_date(text);
  if (!date) return signs.found(Sign::date_unreadable, text);
  if (!date->zone_possible) signs.found(Sign::date_zone_impossible, text);
  if (way.oldest && date->time > *way.oldest + kHoursOff) signs.found(Sign::date_after_received, text);
  // A mail that lies on disk arrived when its newest Received says; one in a session arrives now.
  const bool live = !signs.mail().client.ip.is_unspecified();
  auto arrived = live ? std::optional(std::chrono::floor<std::chrono::seconds>(signs.mail().now)) : way.newest;
  if (!arrived) return;
  if (date->time > *arrived + kAhead) signs.found(Sign::date_future, text);
  if (date->time < *arrived - kOld) signs.found(Sign::date_past, text);
}

}  // namespace doorward::filter
