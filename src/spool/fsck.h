// What a spool on disk holds, and what of it is damaged.
#pragma once

#include <string>
#include <vector>

#include "journal/check.h"

namespace doorward::spool {

struct Fsck {
  std::vector<journal::SegmentCheck> segments;
  uint64_t mails = 0;                         // not yet ended
  uint64_t recipients = 0;                    // of those
  uint64_t lost_mails = 0;                    // their progress is there, and they are not
  uint64_t unknown = 0;                       // records that this release cannot read
  bool is_held = false;                       // a gateway runs on it
  std::string holder;                         // who, as far as is known
  std::vector<std::string> repaired, failed;  // sentences
  bool is_sound() const;
};

// Every checksum of every record. With `repair`, what is damaged is mended where nobody holds the spool.
Result<Fsck> fsck(journal::Disk& disk, const std::string& directory, bool repair);

// For a person; and one JSON object a segment and one for the whole, a line each.
std::string to_text(const Fsck& found);
std::string to_json(const Fsck& found);

}  // namespace doorward::spool
