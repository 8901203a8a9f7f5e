// How often, from how many domains and since when what a mail's fingerprint stands for was seen (D5). Counts domains,
// not mails: the same mail from the same domain never counts, however often it comes.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "trust/fingerprint.h"
#include "trust/kept.h"

namespace doorward::trust {

// A sending domain, as it is counted: lower-cased and hashed. Empty: unknown, and never counted nor told from others.
struct Sender {
  uint64_t hash = 0;
  static Sender of_domain(std::string_view domain);
};

struct Sighting {
  double others = 0;   // other domains that sent the same within the window, about; at most 266
  SystemTime since{};  // when the first of them did, to the minute, within the window; meaningless where there is none
  bool own = false;    // our own users send it: others' sending does not count
};

class Sightings {
 public:
  struct Options {
    size_t entries = size_t{1} << 20;  // of 24 octets; a mail takes ten for its text, four for HTML, one a file. A
                                       // stored table keeps the size it has.
    std::string directory{};           // where it is kept; empty: in memory only
    bool read_only = false;            // another process may be counting
    std::chrono::minutes window = std::chrono::days(4);  // what is older is forgotten, in two steps of half of it
  };
  // Fails when the directory cannot be made or read, another process counts in it, or what is stored is damaged in a
  // way that a crash does not explain.
  static Result<std::unique_ptr<Sightings>> open(Options options);
  ~Sightings();  // flushes

  // One a likeness, in the order of Likeness. Safe from any thread while one counts.
  using Seen = std::array<Sighting, kLikenesses>;
  Seen look_up(const Fingerprint& print, Sender sender, SystemTime now) const;

  // All below: one thread at a time.
  // An incoming mail, whatever became of it.
  void count(const Fingerprint& print, Sender sender, SystemTime now);
  // A mail that our own users sent and that was found clean: their templates, and what answers quote of them, count
  // for nobody during the next 22 windows. What more than two domains sent already stays what it is, so that forwarding
  // spam does not clear it.
  void count_own(const Fingerprint& print, SystemTime now);
  // What was counted so far is durable when this returns; meant to be called every second.
  Result<void> flush();

  Kept::Fill fill() const;  // counts through the whole table

 private:
  struct State;
  explicit Sightings(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::trust
