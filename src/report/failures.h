// Sends DMARC failure reports (RFC 9991): one a mail that failed, where its domain asks for it and few were sent
// lately. What cannot be sent at once is dropped: such a report is of use while it is new.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "gateway/witness.h"
#include "net/resolver.h"
#include "policy/snapshot.h"
#include "report/report_mail.h"
#include "spool/spool.h"

namespace doorward::report {

struct FailuresOptions {
  ReportSender sender;
  unsigned an_hour = 10;              // about one domain
  unsigned in_all = 300;              // an hour
  size_t most_under_way = 100;        // that wait for name servers
  std::chrono::seconds deadline{30};  // of all questions about one report
};

struct FailuresParts {
  const Clock& clock;
  net::Resolver& resolver;
  spool::Spool& spool;
  std::function<std::shared_ptr<const policy::Snapshot>()> snapshot;
};

class Failures final : public gateway::Witness {
 public:
  // The parts outlive stop().
  Failures(FailuresOptions options, FailuresParts parts);
  ~Failures() override;  // stop()
  void start();
  void stop();  // before the spool ends

  void saw(const Seen& mail) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace doorward::report
