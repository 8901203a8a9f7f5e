// Sending what was gathered: once a period, a mail to each address that a domain named and that agreed to it. On a
// thread of its own, since it waits for the disk and for name servers; the mails go the way of all outgoing mail.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/error.h"
#include "net/resolver.h"
#include "policy/snapshot.h"
#include "report/gathered.h"
#include "report/gathering.h"
#include "report/report_mail.h"
#include "spool/spool.h"

namespace doorward::report {

struct SendingOptions {
  ReportSender sender;
  GatheredOptions gathered;
  std::chrono::seconds look_every{60};
  std::chrono::seconds retry{3600};   // where a name server did not answer, or the spool has no room
  unsigned attempts = 6;              // then it goes to those addresses that are known to want it
  std::chrono::seconds deadline{60};  // of all questions about one report's addresses
};

struct SendingParts {
  const Clock& clock;
  Gathering& gathering;
  net::Resolver& resolver;
  spool::Spool& spool;
  std::function<std::shared_ptr<const policy::Snapshot>()> snapshot;
};

struct SentReports {
  uint64_t reports = 0;    // that are done: sent, or wanted by nobody
  uint64_t mails = 0;      // put into the spool
  uint64_t postponed = 0;  // reports that are tried again later
};

class Sending {
 public:
  // The parts outlive it.
  static Result<std::unique_ptr<Sending>> open(SendingOptions options, SendingParts parts);
  ~Sending();  // stop()
  void start();
  void stop();  // before the spool ends

  // Sends what is due; with `all` also what is gathered of a period that is not over. From any thread but its own;
  // waits until it is done.
  Result<SentReports> send(bool all);

 private:
  struct State;
  explicit Sending(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::report
