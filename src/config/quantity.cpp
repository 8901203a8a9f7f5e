#include "config/quantity.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>

namespace doorward::config {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

constexpr auto kTimes = std::to_array<Unit>(
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}, {"w", 604'800'000}});
constexpr auto kSizes = std::to_array<Unit>({{"TB", 1'000'000'000'000},
                                             {"TiB", uint64_t{1} << 40},
                                             {"GB", 1'000'000'000},
                                             {"GiB", 1 << 30},
                                             {"MB", 1'000'000},
                                             {"MiB", 1 << 20},
                                             {"kB", 1000},
                                             {"KiB", 1 << 10},
                                             {"B", 1}});
constexpr uint64_t kLongestMs = 3'155'760'000'000;  // 100 years
constexpr uint64_t kLargest = uint64_t{1} << 60;

Result<uint64_t> parse(std::string_view text, std::span<const Unit> units, uint64_t most, std::string_view example) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  if (error == std::errc{} && number == 0 && unit.empty()) return 0;
  if (error == std::errc{}) {
    for (const Unit& known : units) {
      if (known.name != unit) continue;
      if (number > most / known.factor) return fail(fmt::format("'{}' is too large", text));
      return number * known.factor;
    }
  }
  std::string names;
  for (const Unit& known : units) names += fmt::format("{}{}", names.empty() ? "" : ", ", known.name);
  return fail(fmt::format("'{}' is not a whole number with its unit, such as \"{}\" (units: {})", text.substr(0, 40),
                          example, names));
}

std::string format(uint64_t number, std::span<const Unit> units, std::string_view smallest) {
  if (number != 0) {
    for (const Unit& unit : units) {
      if (unit.name != "w" && number % unit.factor == 0) return fmt::format("{}{}", number / unit.factor, unit.name);
    }
  }
  return fmt::format("{}{}", number, smallest);
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto ms = parse(text, kTimes, kLongestMs, "30s");
  if (!ms) return std::unexpected(ms.error());
  return std::chrono::milliseconds(static_cast<int64_t>(*ms));
}

Result<uint64_t> parse_size(std::string_view text) { return parse(text, kSizes, kLargest, "25MB"); }

std::string format_duration(std::chrono::milliseconds time) {
  const int64_t ms = time.count();
  return ms <= 0 ? "0s" : format(static_cast<uint64_t>(ms), kTimes, "ms");
}

std::string format_size(uint64_t octets) { return format(octets, kSizes, "B"); }

}  // namespace doorward::config
