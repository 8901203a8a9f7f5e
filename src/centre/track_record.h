// What a reporter's word is worth: how often others said the same, later and without having heard it. Whoever only
// repeats what the centre answers earns nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "centre/verdicts.h"

namespace doorward::centre {

class TrackRecord {
 public:
  // A word that nobody of weight had said before, to be proven.
  struct Claim {
    std::string id;
    Voice voice = Voice::filters;
    double weight = 0;  // that it had
    SystemTime said{};
  };
  enum class Proof : uint8_t { confirmed, contested, open };
  static constexpr std::chrono::hours kProofAfter{12};

  TrackRecord(bool trusted, double confirmed, double contested)
      : trusted_(trusted), confirmed_(confirmed), contested_(contested) {}

  // 1: the centre's operator vouches for him. Else from 0 on, which is what a new one has; below 1.
  double weight() const;
  double confirmed() const { return confirmed_; }
  double contested() const { return contested_; }

  // Of many claims a random sample is kept; claims are lost at a restart, what came of them is not.
  void claim(Claim claim);
  std::vector<Claim> due(SystemTime now);  // takes those that are old enough to be proven
  void proven(Proof proof);
  void set_trusted(bool trusted) { trusted_ = trusted; }

  // What the others, without him, say of a claim by now.
  static Proof proof_of(const Claim& claim, const Verdicts::Found& said);

 private:
  bool trusted_;
  double confirmed_, contested_;
  std::vector<Claim> claims_;
  uint64_t seen_ = 0;  // claims since the sample was emptied last
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace doorward::centre
