// An entry of the sightings: which domains sent what a hash stands for, and when.
#pragma once

#include <cstdint>

#include "trust/kept_table.h"

namespace doorward::trust {

// Minutes since 2020; 24 bits of them last until 2051.
using Minute = uint32_t;

// A set of domains in 64 bits: each domain is one of them. Counted linearly (Whang and others, 1990): the share of bits
// that are still 0 says how many domains there were, within about 10 % up to 100 of them, and no more than 266.
struct DomainSet {
  uint64_t bits = 0;
  static uint64_t bit_of(uint64_t domain) { return uint64_t{1} << (domain >> 58); }
  double count() const;
};

struct Row {
  static constexpr unsigned kGenerationBits = 12, kMinuteBits = 24;
  static constexpr uint32_t kGenerations = 1u << kGenerationBits;
  static constexpr uint32_t kOwnGenerations = 45;  // that our own users' sending lasts

  uint64_t tag = 0;              // of the table, in its place of the head; never 0 in an entry
  bool own = false;              // our own users send it: nobody's sending counts
  uint32_t generation = 0;       // of the last change, modulo kGenerations
  Minute first = 0;              // seen
  DomainSet recent{}, before{};  // in that generation, and in the one before it

  Cells cells() const {
    return {tag | uint64_t{own} << 36 | static_cast<uint64_t>(generation) << kMinuteBits | first, recent.bits,
            before.bits};
  }
  static Row of(const Cells& cells) {
    return {.tag = cells.head >> KeptTable::kTagShift << KeptTable::kTagShift,
            .own = ((cells.head >> 36) & 1) != 0,
            .generation = static_cast<uint32_t>(cells.head >> kMinuteBits) & (kGenerations - 1),
            .first = static_cast<Minute>(cells.head) & ((1u << kMinuteBits) - 1),
            .recent = {cells.second},
            .before = {cells.third}};
  }
  // Generations that passed since the last change; 0 where the clock went back.
  uint32_t age(uint32_t now) const {
    const uint32_t passed = (now - generation) & (kGenerations - 1);
    return passed < kGenerations / 2 ? passed : 0;
  }
  // What of it is worth keeping in that generation: domains first, then how fresh it is.
  static uint64_t worth(const Cells& cells, uint32_t generation);
};

}  // namespace doorward::trust
