#include "centre/verdicts_row.h"

#include <algorithm>

namespace doorward::centre {
namespace {

uint64_t packed(const std::array<uint16_t, kVoices>& values) {
  uint64_t result = 0;
  for (const uint16_t value : values) result = result << 16 | value;
  return result;
}

std::array<uint16_t, kVoices> unpacked(uint64_t cell) {
  std::array<uint16_t, kVoices> values{};
  for (size_t at = kVoices; at-- > 0; cell >>= 16) values[at] = static_cast<uint16_t>(cell);
  return values;
}

}  // namespace

VerdictsRow VerdictsRow::of(const trust::Cells& cells) {
  return {.tag = cells.head >> trust::KeptTable::kTagShift << trust::KeptTable::kTagShift,
          .day = static_cast<uint32_t>(cells.head >> kMinuteBits) & (kDays - 1),
          .minute = static_cast<uint32_t>(cells.head) & ((1u << kMinuteBits) - 1),
          .today = unpacked(cells.second),
          .weight = unpacked(cells.third)};
}

trust::Cells VerdictsRow::cells() const {
  return {tag | uint64_t{day} << kMinuteBits | minute, packed(today), packed(weight)};
}

VerdictsRow VerdictsRow::on(uint32_t now) const {
  VerdictsRow row = *this;
  const uint32_t passed = (now - day) & (kDays - 1);
  // A clock that went back is no reason to forget.
  if (passed == 0 || passed >= kDays / 2) return row;
  row.day = now;
  row.today = {};
  for (auto& each : row.weight) each = static_cast<uint16_t>(passed < 16 ? each >> passed : 0);
  return row;
}

bool VerdictsRow::is_empty() const {
  return std::ranges::all_of(weight, [](uint16_t each) { return each == 0; });
}

uint64_t VerdictsRow::worth(const trust::Cells& cells, uint32_t day) {
  const VerdictsRow row = of(cells).on(day);
  uint64_t sum = 1;
  for (const uint16_t each : row.weight) sum += each;
  return sum;
}

}  // namespace doorward::centre
