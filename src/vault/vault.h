// The vault: what was neither delivered nor refused, but kept. Metadata and keys lie in a database, contents in a
// journal, each sealed under a key of its own: to delete the key is to erase the content, whatever a disk still holds.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "policy/snapshot.h"
#include "spool/mail.h"
#include "vault/entry.h"

namespace doorward::journal {
class Disk;
}

namespace doorward::vault {

struct Options {
  std::string directory;
  uint64_t budget = uint64_t{10} << 30;    // octets of contents
  uint64_t reserve = uint64_t{256} << 20;  // octets of the file system that stay free
  uint64_t segment = uint64_t{64} << 20;   // octets of a segment file
  // What is left of deleted entries (ids, recipient, times) is forgotten after this. Not before the spool's lifetime
  // is over: until then an import may be repeated.
  std::chrono::hours forget_after{8 * 24};
};

// Recipients of one mail that are to have an entry each.
struct Incoming {
  std::shared_ptr<const spool::Mail> mail;
  std::shared_ptr<const spool::Content> content;
  uint16_t version = 0;
  std::vector<size_t> recipients;  // positions in mail->recipients
};

struct Kept {
  enum class What : uint8_t {
    made,       // a new entry, durable
    known,      // there was one already: a repeated import, or a sender's retry
    forbidden,  // the domain's legal mode does not allow to keep it
  } what = What::made;
  size_t mail = 0;       // position among the mails given
  size_t recipient = 0;  // position in mail->recipients
  std::string id{};      // the entry's
};

// Puts a released mail into the queue durably; blocks until it is.
using Commit = std::function<Result<void>(std::shared_ptr<const spool::Mail>, std::shared_ptr<const spool::Content>)>;

// Safe from any thread. Everything blocks on the disk: never call it on a session's core.
class Vault {
 public:
  // One process at a time (a lock file).
  static Result<std::unique_ptr<Vault>> open(Options options, const Clock& clock, journal::Disk& disk);
  ~Vault();

  // All of it is durable when this returns; after an error, none or all of it is, and it is to be tried again: what is
  // there already makes no second entry. Only recipients whose domain's legal mode is quarantine get one.
  Result<std::vector<Kept>> keep(std::span<const Incoming> mails, const policy::Snapshot& snapshot);

  Result<std::vector<Entry>> list(const Filter& filter, size_t most);
  Result<Entry> show(std::string_view id);
  Result<std::string> content(std::string_view id);  // as the recipient would have got it

  // Sends it on to its recipient's backend, without filters and with a header field that says so; once: a second time
  // is an error that says when the first one was. A crash on the way may send it twice (releases counts), never not.
  Result<Entry> release(std::string_view id, const policy::Snapshot& snapshot, const Commit& commit);
  // Goes on with releases that a crash interrupted; how many. One that cannot go on is kept again, and told in the log.
  // Call it at the start.
  Result<size_t> resume_releases(const policy::Snapshot& snapshot, const Commit& commit);
  // Its key is gone when this returns.
  Result<void> remove(std::string_view id);

  // Deletes what is over its time, and wins space back. Returns how many entries expired. Call it now and then.
  Result<size_t> sweep();

  bool has_room(uint64_t octets) const;
  uint64_t disk_octets() const;
  Result<uint64_t> count(State state);

 private:
  struct Room;
  explicit Vault(std::unique_ptr<Room> state);
  std::unique_ptr<Room> state_;
};

}  // namespace doorward::vault
