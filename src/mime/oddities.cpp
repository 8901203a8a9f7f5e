#include "mime/oddities.h"

#include "mime/chars.h"

namespace doorward::mime {

namespace {
constexpr size_t kMaxOddities = 200;
constexpr size_t kMaxEvidence = 80;
}  // namespace

void Oddities::add(std::string_view name, size_t part, std::string_view evidence) {
  if (oddities_.size() > kMaxOddities) return;
  if (oddities_.size() == kMaxOddities) {
    oddities_.push_back({.name = "more_oddities", .part = part, .evidence = {}});
    return;
  }
  // One note a part and kind is enough; only the tail can hold the same, as parts are read one after the other.
  for (size_t i = oddities_.size(); i-- > 0 && oddities_.size() - i <= 16;) {
    if (oddities_[i].part == part && oddities_[i].name == name) return;
  }
  std::string shown(evidence.substr(0, kMaxEvidence));
  for (char& c : shown) {
    if (is_control(c) || is_8bit(c)) c = '?';
  }
  oddities_.push_back({.name = name, .part = part, .evidence = std::move(shown)});
}

}  // namespace doorward::mime
