// The durable queue: every mail that got a 250 and is not yet delivered. From the moment commit() succeeds no crash, at
// whatever instruction, loses it. Safe from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/task.h"
#include "net/core.h"
#include "smtp/reply.h"
#include "spool/mail.h"

namespace doorward::journal {
class Disk;
}

namespace doorward::spool {

struct Options {
  std::string directory;
  uint64_t budget = uint64_t{10} << 30;          // octets of disk at most
  uint64_t reserve = uint64_t{256} << 20;        // octets of the file system that stay free
  uint64_t segment = uint64_t{64} << 20;         // octets of a segment file
  uint64_t memory = uint64_t{64} << 20;          // octets of contents that are kept in memory for their first attempt
  std::chrono::seconds lifetime{7 * 24 * 3600};  // then an undelivered recipient has failed
  std::chrono::seconds first_retry{60};          // grows by `growth` up to `longest_retry`
  std::chrono::seconds longest_retry{4 * 3600};
  std::chrono::seconds warn_after{4 * 3600};  // a sender who may be told hears of the delay
  double growth = 1.7;
  unsigned first_concurrency = 5;   // deliveries at once to a destination; grows with success
  unsigned most_concurrency = 100;  // the backend's own limit holds besides
  // Deliveries at once to all destinations together of which nothing is known yet, and to all that failed last time.
  // Together fewer than half of the questions that the resolver can have open (net::ResolverOptions::in_flight).
  size_t most_untried = 400;
  size_t most_failed = 300;
};

// Recipients of one mail that are to be delivered together: same destination, same content.
struct Job {
  std::shared_ptr<const Mail> mail;
  std::shared_ptr<const Content> content;  // none: read() it
  Destination destination;
  uint16_t version = 0;
  std::vector<size_t> recipients;  // positions in mail->recipients
  unsigned attempts = 0;           // before this one
  SystemTime last_attempt{};
  bool warned = false;   // a delay was reported to the sender
  bool outside = false;  // not counted against its lane: the spool's own mark
  bool expired = false;  // the lifetime is over: one last word, no attempt
  bool bounce = false;   // an administrator wants it returned: no attempt
  bool warn_only =
      false;  // its destination is not asked at present, but the sender is to hear of the delay: no attempt
};

// What became of one recipient of a job.
struct Outcome {
  size_t recipient = 0;  // position in mail->recipients
  enum class Kind : uint8_t { delivered, retry, failed, stranded, reroute } kind = Kind::retry;
  smtp::Reply reply{0, ""};   // ours, or the next hop's; kept for lists
  std::string remote{};       // host and address that said so
  Destination destination{};  // reroute: where it goes from now on
};

// What an attempt showed of the destination as a whole: steers its concurrency and back-off.
enum class Health : uint8_t { unknown, good, busy /* 421, too many connections */, dead /* no connection */ };

// For `doorward queue`; an empty member matches everything.
struct Filter {
  std::vector<std::string> ids;
  std::string sender, recipient;  // wildcards
  std::string destination;        // wildcard over text(Destination)
  std::string reason;             // part of the last reply
  std::optional<std::chrono::seconds> older_than, younger_than;
  uint64_t customer = 0;  // of a recipient; 0: any
  std::optional<bool> held;
  std::optional<bool> may_bounce;  // whether its sender may be told
  std::optional<Fate> fate;        // waiting, stranded
};

struct Listed {
  std::shared_ptr<const Mail> mail;  // with each recipient's present fate
  struct Part {                      // a job, whether taken or not
    Destination destination;
    std::vector<size_t> recipients;
    unsigned attempts = 0;
    SystemTime next{};         // 0: being delivered now
    std::string last_reply{};  // "450 4.2.0 Come back later"
    std::string remote{};
  };
  std::vector<Part> parts;
  bool held = false;
};

struct Figures {
  uint64_t mails = 0, recipients = 0, held = 0, stranded = 0;
  uint64_t disk = 0;               // octets
  uint64_t content_in_memory = 0;  // octets
  uint64_t lanes = 0;
  SystemTime oldest{};
};

class Spool {
 public:
  // Recovers what is there. One process at a time (a lock file); the error says who has it.
  static Result<std::unique_ptr<Spool>> open(Options options, const Clock& clock, journal::Disk& disk);
  ~Spool();  // makes everything durable that was reported

  // False: 452 before the content is taken (RFC 5321 §4.2.3); what is there already goes on.
  bool has_room(uint64_t octets) const;

  // Stores the mail durably with all its recipients' dispositions: only then may the client hear 250. Its jobs are due
  // at once. An error: nothing of it is stored (or what is stored is void), and the client hears 451. Goes on on
  // `core`.
  Task<Result<void>> commit(net::Core& core, std::shared_ptr<const Mail> mail, std::shared_ptr<const Content> content);

  // The next job that is due, of a lane that has room, lanes taking turns; none: nothing is due. The taker reports it.
  enum class For : uint8_t { delivery, vault };
  std::optional<Job> take(For whom);
  // The content of a job that has none in memory. Blocks on the disk.
  Result<std::shared_ptr<const Content>> read(const Mail& mail);
  // Ends a job. Recipients without an outcome are retried. Outcomes are durable with the next group: a crash before
  // may deliver a mail twice, never lose it.
  void report(const Job& job, std::vector<Outcome> outcomes, Health health, bool warned_now = false);

  // Called, from any thread and often, when a job may have become due; it must only post. The core is the one whose
  // mail was just taken, so that it is delivered from there; none: any. Set before anything is committed or taken.
  void on_due(std::function<void(net::Core*)> wake);
  // When the next job is due that waits for its time; the distant future if none does.
  SystemTime next_due() const;

  // One after the other, so that a million of them are never in memory together; false from `each` ends it.
  void visit(const Filter& filter, size_t most, const std::function<bool(const Listed&)>& each) const;
  std::vector<Listed> list(const Filter& filter, size_t most) const;
  // Each returns how many mails it changed.
  size_t retry(const Filter& filter);    // due now, and the lanes' back-off ends
  size_t hold(const Filter& filter);     // no attempts until released
  size_t release(const Filter& filter);  // held ones go on; stranded ones wait again
  size_t remove(const Filter& filter);   // gone, nobody is told
  size_t bounce(const Filter& filter);   // due now as jobs with `bounce`
  Figures figures() const;

  struct State;  // this room's own

 private:
  struct Durable;
  explicit Spool(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::spool
