#include "spool/table.h"

#include <algorithm>

namespace doorward::spool {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

uint64_t digit(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  const size_t found = kAlphabet.find(c);
  return found == std::string_view::npos ? 0 : found;
}

}  // namespace

// 26 digits of five bits: the first 13 fill 65 bits, of which a ULID uses no more than 63.
Key key_of(std::string_view id) {
  Key key;
  for (size_t i = 0; i < std::min<size_t>(id.size(), 26); ++i) {
    uint64_t& half = key.bits[i < 13 ? 0 : 1];
    half = half << 5 | digit(id[i]);
  }
  return key;
}

std::string id_of(const Key& key) {
  std::string id(26, '0');
  for (size_t half = 0; half < 2; ++half) {
    uint64_t bits = key.bits[half];
    for (size_t i = 13; i-- > 0; bits >>= 5) id[half * 13 + i] = kAlphabet[bits & 31];
  }
  return id;
}

bool Entry::has_stranded() const { return fates && std::ranges::find(*fates, Fate::stranded) != fates->end(); }

uint32_t Table::add(const Key& key) {
  const auto [place, fresh] = by_key_.emplace(key, 0);
  if (!fresh) return place->second;
  if (free_.empty()) {
    place->second = static_cast<uint32_t>(entries_.size());
    entries_.emplace_back();
  } else {
    place->second = free_.back();
    free_.pop_back();
  }
  Entry& entry = entries_[place->second];
  entry = Entry{};
  entry.key = key;
  entry.serial = ++serials_ == 0 ? ++serials_ : serials_;
  return place->second;
}

void Table::erase(uint32_t slot) {
  by_key_.erase(entries_[slot].key);
  entries_[slot] = Entry{};
  free_.push_back(slot);
}

uint32_t Table::slot_of(const Key& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? kNone : found->second;
}

Entry* Table::find(const Key& key) {
  const uint32_t slot = slot_of(key);
  return slot == kNone ? nullptr : &entries_[slot];
}

}  // namespace doorward::spool
