// What backends said of recipients, kept so that it survives restarts and a backend's outage. Bounded, and safe from
// any thread; the disk is written by a thread of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "smtp/reply.h"

namespace doorward::delivery {

struct RecipientMemoryOptions {
  std::string path;                                       // of the database; ":memory:" for tests
  std::chrono::seconds keep_known{7 * 24 * 3600};         // a recipient that exists
  std::chrono::seconds keep_unknown{15 * 60};             // one that does not: in memory alone
  size_t most_known = 1'000'000, most_unknown = 100'000;  // beyond: the expired ones go, then any
  std::chrono::milliseconds write_every{1'000};           // at most so much is lost in a crash, and asked again
  size_t most_waiting = 100'000;                          // to be written; beyond, they are kept in memory alone
};

class RecipientMemory {
 public:
  static Result<std::unique_ptr<RecipientMemory>> open(RecipientMemoryOptions options, const Clock& clock);
  ~RecipientMemory();  // writes what waits

  struct Entry {
    bool exists = false;
    SystemTime asked{};
    smtp::Reply refusal{0, ""};  // what the sender was told of one that does not
  };
  // Nothing that is older than it may be kept. `address` is a mailbox's key.
  std::optional<Entry> find(uint64_t backend, std::string_view address) const;
  // proven: the backend is known to refuse others; what one says that accepts everything is kept in memory alone, since
  // anybody could fill the disk with it.
  void keep_known(uint64_t backend, std::string_view address, bool proven);
  void keep_unknown(uint64_t backend, std::string_view address, smtp::Reply refusal);

  // Whether a backend took a recipient of this domain that cannot exist.
  struct Probe {
    bool accepts_everything = false;
    SystemTime asked{};
  };
  std::optional<Probe> probe(uint64_t backend, std::string_view domain) const;
  void keep_probe(uint64_t backend, std::string_view domain, bool accepts_everything);

  void flush();  // returns when all that was kept before is written, or has failed

 private:
  struct State;
  explicit RecipientMemory(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::delivery
