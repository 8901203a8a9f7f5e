// Cuts a header section into fields (RFC 5322 §2.2), whatever it is made of.
#pragma once

#include <string_view>
#include <vector>

#include "mime/message.h"
#include "mime/oddities.h"

namespace doorward::mime {

struct HeaderSection {
  std::vector<Header> fields;
  size_t body = 0;  // offset in the entity at which the body begins
  // A line that is no field was passed over: some readers take it as the begin of the body. Fields before it, and its
  // offset in the entity.
  bool broken = false;
  size_t fields_before_break = 0;
  size_t break_at = 0;
};

// `base` is the entity's offset in the raw message; offsets of the fields count from there. A line `From …` in front
// (mbox) is passed over when `root`.
HeaderSection scan_headers(std::string_view entity, size_t base, const Limits& limits, bool root, size_t part,
                           Oddities& oddities);

// The value with its folds undone (RFC 5322 §2.2.3), trimmed.
std::string unfold(std::string_view value);

// The length of the comment (RFC 5322 §3.2.2, they nest) that `text` begins with; 0 if none begins or it never ends.
// Looking for the end of one that has none costs the rest of the text: readers give up after so many.
inline constexpr size_t kMostUnclosed = 8;
size_t comment_length(std::string_view text);
// Each comment outside quotes made a blank; one that never ends stays.
std::string without_comments(std::string_view value);

}  // namespace doorward::mime
