// The mails of the spool as they stand in memory: what scheduling needs, and where the rest is. A million of them are
// to fit into a few hundred megabytes, so that senders, recipients and contents stay on the disk.
#pragma once

#include <array>
#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "journal/journal.h"
#include "spool/form.h"

namespace doorward::spool {

// A mail's id, a ULID, in 16 octets.
struct Key {
  std::array<uint64_t, 2> bits{};
  bool operator==(const Key&) const = default;
};
Key key_of(std::string_view id);
std::string id_of(const Key& key);

// A journal::Place in 24 octets.
class Kept {
 public:
  Kept() = default;
  Kept(const journal::Place& place)  // NOLINT(google-explicit-constructor): it is one
      : segment(static_cast<uint32_t>(place.segment)), head_(place.head), offset_(place.offset), body_(place.body) {}
  operator journal::Place() const { return {segment, offset_, head_, body_}; }  // NOLINT(google-explicit-constructor)

  uint32_t segment = 0;  // 0: nowhere. At a thousand new ones a day they suffice for ten thousand years

 private:
  uint32_t head_ = 0;
  uint64_t offset_ = 0, body_ = 0;
};

struct Part {
  uint32_t lane = 0;
  uint32_t stamp = 0;  // of its place in the lane's schedule; 0: not scheduled
  int64_t next = 0;    // milliseconds since 1970
  int64_t last = 0;
  std::shared_ptr<const LastReply> reply;
  boost::container::small_vector<uint32_t, 2> recipients;  // positions
  uint16_t version = 0;
  uint16_t attempts = 0;
  bool taken = false;  // a job is out
  bool bounce = false;
};

struct Entry {
  Key key;
  uint32_t serial = 0;  // tells this use of the slot from others; 0: free
  uint32_t size = 0;    // octets of the raw message
  int64_t received = 0;
  Kept mail, progress;
  boost::container::small_vector<Part, 1> parts;  // that wait
  std::unique_ptr<std::vector<Fate>> fates;       // none: all recipients wait
  uint32_t recipients = 0;
  bool held = false, warned = false, may_bounce = false;

  bool has_stranded() const;                                            // some recipients are
  bool is_stranded() const { return parts.empty() && has_stranded(); }  // and nobody waits
};

class Table {
 public:
  // The slot of a new entry, or of the one that has that key.
  uint32_t add(const Key& key);
  void erase(uint32_t slot);
  Entry* find(const Key& key);
  uint32_t slot_of(const Key& key) const;  // kNone where there is none
  Entry& at(uint32_t slot) { return entries_[slot]; }
  const Entry& at(uint32_t slot) const { return entries_[slot]; }
  uint32_t slots() const { return static_cast<uint32_t>(entries_.size()); }
  size_t size() const { return by_key_.size(); }

  static constexpr uint32_t kNone = UINT32_MAX;

 private:
  struct Hash {
    size_t operator()(const Key& key) const { return key.bits[1] ^ (key.bits[0] * 0x9e3779b97f4a7c15U); }
  };
  std::deque<Entry> entries_;
  std::vector<uint32_t> free_;
  boost::unordered_flat_map<Key, uint32_t, Hash> by_key_;
  uint32_t serials_ = 0;
};

}  // namespace doorward::spool
