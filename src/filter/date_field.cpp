#include "filter/date_field.h"

#include <array>
#include <charconv>

namespace doorward::filter {
namespace {

namespace chrono = std::chrono;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text.substr(0, 200)) {}

  // White space and comments in parentheses.
  void skip() {
    int depth = 0;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '(') ++depth;
      if (depth == 0 && c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != ',') return;
      if (c == ')' && depth > 0) --depth;
      rest_.remove_prefix(1);
    }
  }
  std::optional<int> number(size_t most_digits) {
    skip();
    size_t digits = 0;
    while (digits < rest_.size() && is_digit(rest_[digits])) ++digits;
    int value = 0;
    if (digits == 0 || digits > most_digits) return std::nullopt;
    std::from_chars(rest_.data(), rest_.data() + digits, value);
    rest_.remove_prefix(digits);
    digits_ = digits;
    return value;
  }
  std::string_view word() {
    skip();
    size_t length = 0;
    while (length < rest_.size() && is_alpha(rest_[length])) ++length;
    const auto word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return word;
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  char peek() {
    skip();
    return rest_.empty() ? '\0' : rest_.front();
  }
  size_t digits() const { return digits_; }

 private:
  std::string_view rest_;
  size_t digits_ = 0;
};

std::optional<unsigned> month_of(std::string_view word) {
  constexpr std::string_view kNames = "janfebmaraprmayjunjulaugsepoctnovdec";
  if (word.size() < 3) return std::nullopt;
  std::array<char, 3> name{};
  for (size_t i = 0; i < 3; ++i) name[i] = static_cast<char>(word[i] | 0x20);
  for (unsigned month = 0; month < 12; ++month) {
    if (kNames.substr(size_t{month} * 3, 3) == std::string_view(name.data(), 3)) return month + 1;
  }
  return std::nullopt;
}

// "+0200", or the names of RFC 5322 §4.3; other names count as "-0000".
void read_zone(Reader& reader, DateField& date) {
  const char sign = reader.peek();
  if (sign != '+' && sign != '-') {
    struct Zone {
      std::string_view name;
      int hours;
    };
    constexpr std::array<Zone, 8> kZones{
        {{"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}}};
    const auto name = reader.word();
    for (const auto& zone : kZones) {
      if (zone.name == name) date.zone_minutes = zone.hours * 60;
    }
    return;
  }
  reader.take(sign);
  const auto value = reader.number(4);
  if (!value || reader.digits() != 4) {
    date.zone_possible = false;
    return;
  }
  const int minutes = *value / 100 * 60 + *value % 100;
  date.zone_minutes = sign == '-' ? -minutes : minutes;
  date.zone_possible = *value % 100 < 60 && date.zone_minutes >= -12 * 60 && date.zone_minutes <= 14 * 60;
}

}  // namespace

std::optional<DateField> parse_date(std::string_view text) {
  Reader reader(text);
  std::optional<unsigned> month;
  std::optional<int> day;
  if (is_alpha(reader.peek())) {
    reader.word();  // the day of the week; some write the month before the day
    reader.take('.');
    month = is_digit(reader.peek()) ? std::nullopt : month_of(reader.word());
  }
  day = reader.number(2);
  if (!day) return std::nullopt;
  reader.take('-');
  if (!month) month = month_of(reader.word());
  reader.take('.');
  reader.take('-');
  if (!month) return std::nullopt;
  auto year = reader.number(4);
  if (!year) return std::nullopt;
  if (reader.digits() <= 2) *year += *year < 50 ? 2000 : 1900;  // RFC 5322 §4.3
  if (reader.digits() == 3) *year += 1900;
  const auto hour = reader.number(2);
  if (!hour || !reader.take(':')) return std::nullopt;
  const auto minute = reader.number(2);
  const auto second = reader.take(':') ? reader.number(2) : std::optional(0);
  const chrono::year_month_day date{chrono::year{*year}, chrono::month{*month},
                                    chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  DateField field;
  read_zone(reader, field);
  field.time = chrono::sys_days(date) + chrono::hours(*hour) + chrono::minutes(*minute) + chrono::seconds(*second) -
               chrono::minutes(field.zone_possible ? field.zone_minutes : 0);
  return field;
}

}  // namespace doorward::filter
