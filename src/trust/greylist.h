// Greylisting (B7): who was put off, who came again after the delay, and who is known by now. Its keys are those of
// DESIGN §2: the sender's domain where it is proven, else the network he comes from, so that a pool of servers is one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "trust/kept.h"

namespace doorward::trust {

// One mail's try to get through to the recipients of one customer.
struct Attempt {
  uint64_t customer = 0;
  std::string origin;  // "domain:example.org" or "network:192.0.2.0/24"
  std::string sender;  // of the envelope; empty: the null path
  std::vector<std::string> recipients{};
  std::chrono::minutes delay{5};
};

class Greylist {
 public:
  struct Options {
    size_t entries = size_t{1} << 18;  // of 24 octets; an attempt takes one a recipient. A stored table keeps its size
    std::string directory{};           // where it is kept; empty: in memory only
    bool read_only = false;            // another process may be writing
  };
  static constexpr std::chrono::hours kRetryWithin{48};    // a put-off mail that comes again later begins anew
  static constexpr std::chrono::hours kKnownFor{36 * 24};  // since it last came
  static Result<std::unique_ptr<Greylist>> open(Options options);
  ~Greylist();  // flushes

  enum class Standing : uint8_t {
    unknown,  // never met, or too long ago
    waits,    // was put off, and the delay is not over
    came_again,
    known,  // its origin came again once
  };
  // Safe from any thread while one writes.
  Standing look_up(const Attempt& attempt, SystemTime now) const;

  // All below: one thread at a time.
  // What look_up() finds of it afterwards: an unknown one waits from now on, one that came again is known.
  void note(const Attempt& attempt, SystemTime now);
  Result<void> flush();

  Kept::Fill fill() const;  // counts through the whole table

 private:
  struct State;
  explicit Greylist(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::trust
