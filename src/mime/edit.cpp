#include "mime/edit.h"

#include <algorithm>

namespace doorward::mime {

bool Edits::add(Edit edit) {
  // Where it belongs: behind all that begin no later, so that inserts at one offset stand in the order they came.
  const auto place = std::ranges::upper_bound(edits_, edit.offset, {}, &Edit::offset);
  if (place != edits_.begin()) {
    const Edit& before = *std::prev(place);
    // A replacement at the same offset goes over its bytes alone; an insert beside it is no overlap.
    if (before.offset + before.length > edit.offset && !(before.offset == edit.offset && edit.length == 0))
      return false;
  }
  if (place != edits_.end() && edit.length > place->offset - edit.offset) return false;
  // An insert at the offset of a replacement stands before it, so that the order of offsets holds.
  auto at = place;
  while (edit.length == 0 && at != edits_.begin() && std::prev(at)->offset == edit.offset && std::prev(at)->length != 0)
    --at;
  edits_.insert(at, std::move(edit));
  return true;
}

std::vector<std::string_view> Edits::apply(std::string_view raw) const {
  std::vector<std::string_view> pieces;
  pieces.reserve(2 * edits_.size() + 2);
  const auto put = [&](std::string_view piece) {
    if (!piece.empty()) pieces.push_back(piece);
  };
  put(top_);
  size_t at = 0;
  for (const Edit& edit : edits_) {
    const size_t begin = std::min(edit.offset, raw.size());
    put(raw.substr(at, begin - at));
    put(edit.replacement);
    at = begin + std::min(edit.length, raw.size() - begin);
  }
  put(raw.substr(at));
  return pieces;
}

size_t Edits::size_after(size_t raw_size) const {
  size_t size = raw_size + top_.size();
  for (const Edit& edit : edits_) {
    const size_t begin = std::min(edit.offset, raw_size);
    size += edit.replacement.size();
    size -= std::min(edit.length, raw_size - begin);
  }
  return size;
}

}  // namespace doorward::mime
