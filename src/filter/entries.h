// Blocks and passes (C4): by sender, sender's domain, network, file name, parts of subject or body.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "mail/ip.h"

namespace doorward::filter {

enum class EntryKind { sender, sender_domain, network, file_name, subject_part, body_part };

struct Entry {
  EntryKind kind;
  std::string pattern;  // wildcards ? and * in all kinds but network; compared without case
  bool pass = false;    // else a block
  // A pass for a sender holds only for authenticated senders or from this network (DESIGN §2, Always).
  std::optional<mail::Network> recorded_network{};
  std::string note{};
};

// The entries of one tenant, compiled; immutable.
class Entries {
 public:
  static Result<std::unique_ptr<const Entries>> compile(uint64_t owner, std::vector<Entry> entries);
  ~Entries();
  uint64_t owner() const;
  struct State;
  const State& state() const { return *state_; }

 private:
  explicit Entries(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::filter
