// The wiring of reports: gathering for those of our own, sending them, telling of single failures, keeping those that
// come in.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "app/config.h"
#include "base/clock.h"
#include "base/error.h"
#include "net/resolver.h"
#include "policy/snapshot.h"
#include "report/failures.h"
#include "report/gathering.h"
#include "report/sending.h"
#include "spool/spool.h"

namespace doorward::app {

class Reporting {
 public:
  using Snapshots = std::function<std::shared_ptr<const policy::Snapshot>()>;

  // `resolver` and `spool` outlive stop(); this object outlives them.
  static Result<std::unique_ptr<Reporting>> open(const NodeConfig& config, const Clock& clock, net::Resolver& resolver,
                                                 spool::Spool& spool, Snapshots snapshots);

  gateway::Witness& witness() { return witnesses_; }
  void start();
  void stop();
  Result<report::SentReports> send(bool all);  // report::Sending::send()

 private:
  struct Witnesses final : gateway::Witness {
    void saw(const Seen& mail) override {
      for (auto* one : all) one->saw(mail);
    }
    std::vector<gateway::Witness*> all;
  };

  Reporting() = default;
  std::unique_ptr<report::Gathering> gathering_;
  std::unique_ptr<report::Sending> sending_;    // none: none are sent
  std::unique_ptr<report::Failures> failures_;  // the same
  Witnesses witnesses_;
};

}  // namespace doorward::app
