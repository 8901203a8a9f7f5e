// An entry of the verdicts: who said what of a band or file, and with what weight together.
#pragma once

#include <array>
#include <cstdint>

#include "centre/verdicts.h"
#include "trust/kept_table.h"

namespace doorward::centre {

struct VerdictsRow {
  static constexpr unsigned kMinuteBits = 24, kDayBits = 14;  // of the head, below the tag
  static constexpr uint32_t kDays = 1u << kDayBits;
  static constexpr double kUnit = 1.0 / 256;  // of a weight, in 16 bits

  uint64_t tag = 0;
  uint32_t day = 0;                        // of the last change
  uint32_t minute = 0;                     // of the first word, since 2020; 24 bits of them last until 2051
  std::array<uint16_t, kVoices> today{};   // who said it today: sets of reporters, counted linearly as domains are
  std::array<uint16_t, kVoices> weight{};  // in units

  static VerdictsRow of(const trust::Cells& cells);
  trust::Cells cells() const;
  // The row as it is on that day: weights halve with each day, and each reporter may speak again.
  VerdictsRow on(uint32_t now) const;
  bool is_empty() const;
  static uint64_t worth(const trust::Cells& cells, uint32_t day);
};

}  // namespace doorward::centre
