// Checks every octet of a journal, whether its owner runs or not, and mends what can be mended while he does not.
#pragma once

#include <string>
#include <vector>

#include "journal/recovery.h"

namespace doorward::journal {

struct SegmentCheck {
  enum class Index : uint8_t { none, sound, broken };
  std::string file;
  uint64_t number = 0, octets = 0, records = 0;
  std::vector<Damage> damage;  // a torn end counts as one only in the newest segment
  Index index = Index::none;
  bool is_sound() const { return damage.empty() && index != Index::broken; }
};

// Oldest first. Every sound record is replayed. An error where the folder or a file cannot be read.
Result<std::vector<SegmentCheck>> check(const Disk& disk, const std::string& directory, const Replay& replay);

// The journal's lock must be held. What is no sound record is filled with one that says nothing, or cut off where it
// is the end; a lost header is taken from the index. The damaged file is kept beside it as NAME.damaged.
Result<void> repair(Disk& disk, const std::string& directory, const SegmentCheck& segment);

}  // namespace doorward::journal
