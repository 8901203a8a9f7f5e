// The sealed contents in their journal.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "journal/journal.h"
#include "vault/tables.h"

namespace doorward::vault {

class Bodies {
 public:
  struct Sealed {
    std::string id;
    std::string octets;
  };
  // `known`: what the tables have. Anything else in the journal is of a crash or of a deletion, and given up.
  static Result<std::unique_ptr<Bodies>> open(journal::Options options, journal::Disk& disk,
                                              std::span<const Body> known);

  // All of them, durable when this returns; an error where one of them is not.
  Result<std::vector<Body>> append(std::span<const Sealed> bodies);
  Result<std::string> read(const Body& body) const { return journal_->read_body(body.place); }
  void give_up(const Body& body) { journal_->retire(body.place); }

  // A step towards winning back the oldest segment, where it is worth the work; false: there is no more to do now.
  Result<bool> clean(Tables& tables);
  bool has_room(uint64_t octets) const { return journal_->has_room(octets); }
  uint64_t disk_octets() const { return journal_->disk_octets(); }

 private:
  explicit Bodies(std::unique_ptr<journal::Journal> journal) : journal_(std::move(journal)) {}
  bool read_to_move(const Body& body, std::string& octets);

  std::unique_ptr<journal::Journal> journal_;
  std::unordered_map<std::string, unsigned> unreadable_;  // bodies in the way of cleaning, and how often they were
};

}  // namespace doorward::vault
