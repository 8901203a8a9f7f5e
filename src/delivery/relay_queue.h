// What the relay asks of the queue: the spool's part of it, so that a test can own the order in which things become
// durable.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "spool/spool.h"

namespace doorward::delivery {

// Each as in spool/spool.h. Safe from any thread.
class RelayQueue {
 public:
  virtual ~RelayQueue() = default;
  virtual std::optional<spool::Job> take() = 0;
  virtual Result<std::shared_ptr<const spool::Content>> read(const spool::Mail& mail) = 0;
  virtual void report(const spool::Job& job, std::vector<spool::Outcome> outcomes, spool::Health health,
                      bool warned_now) = 0;
  virtual Task<Result<void>> commit(net::Core& core, std::shared_ptr<const spool::Mail> mail,
                                    std::shared_ptr<const spool::Content> content) = 0;
  virtual void on_due(std::function<void(net::Core*)> wake) = 0;
  virtual SystemTime next_due() const = 0;
  virtual spool::Figures figures() const = 0;
};

// The spool must outlive it.
std::unique_ptr<RelayQueue> queue_of(spool::Spool& spool);

}  // namespace doorward::delivery
