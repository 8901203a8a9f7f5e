// What is remembered by hash, in memory and on disk: a table of bounded size whose changes are durable after flush().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "trust/kept_store.h"
#include "trust/kept_table.h"

namespace doorward::trust {

class Kept {
 public:
  struct Options {
    std::string name;         // of what is kept, such as "sightings"
    size_t entries = 0;       // of 24 octets; a stored table keeps the size it has
    std::string directory{};  // where it is kept; empty: in memory only
    uint32_t version = 1;     // of what entries mean; of another version all begins anew
    uint32_t parameter = 0;   // likewise
    bool read_only = false;   // another process may be writing
    size_t log = 0;           // octets of changes after which all is written anew; 0: as many as suit its size
  };
  // Fails when the directory cannot be made or read, another process writes there, or what is stored is damaged in a
  // way that a crash does not explain.
  static Result<std::unique_ptr<Kept>> open(Options options);
  ~Kept();  // flushes

  const KeptTable& table() const { return *table_; }  // for readers on any thread

  // All below: one thread at a time.
  // What stands for the hash, or a new and empty entry; `change` makes another of it, and is not stored where it is the
  // same. Another entry may have to give way.
  template <class Change>
  void change(uint64_t hash, KeptTable::Worth worth, uint32_t now, Change&& change) {
    const size_t place = table_->place(hash, worth, now);
    const Cells stored = table_->at(place);
    const bool known = KeptTable::is_same(stored.head, hash);
    const Cells changed = change(known ? stored : Cells{KeptTable::tag_of(hash), 0, 0}, known);
    if (changed == stored || changed.empty()) return;
    table_->put(place, changed);
    changed_.push_back(static_cast<uint32_t>(place));
  }
  // What was changed so far is durable when this returns; what could not be written is tried again next time.
  Result<void> flush();

  struct Fill {
    size_t entries = 0, used = 0;
    uint64_t evicted = 0;  // entries worth something that gave way to others, since it was opened
  };
  Fill fill() const;  // counts through the whole table

 private:
  Kept() = default;
  Options options_;
  std::unique_ptr<KeptTable> table_;
  std::unique_ptr<KeptStore> store_;
  std::vector<uint32_t> changed_;
};

}  // namespace doorward::trust
