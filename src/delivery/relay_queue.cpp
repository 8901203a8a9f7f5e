#include "delivery/relay_queue.h"

#include <utility>

namespace doorward::delivery {
namespace {

class SpoolQueue final : public RelayQueue {
 public:
  explicit SpoolQueue(spool::Spool& spool) : spool_(spool) {}
  std::optional<spool::Job> take() override { return spool_.take(spool::Spool::For::delivery); }
  Result<std::shared_ptr<const spool::Content>> read(const spool::Mail& mail) override { return spool_.read(mail); }
  void report(const spool::Job& job, std::vector<spool::Outcome> outcomes, spool::Health health,
              bool warned_now) override {
    spool_.report(job, std::move(outcomes), health, warned_now);
  }
  Task<Result<void>> commit(net::Core& core, std::shared_ptr<const spool::Mail> mail,
                            std::shared_ptr<const spool::Content> content) override {
    return spool_.commit(core, std::move(mail), std::move(content));
  }
  void on_due(std::function<void(net::Core*)> wake) override { spool_.on_due(std::move(wake)); }
  SystemTime next_due() const override { return spool_.next_due(); }
  spool::Figures figures() const override { return spool_.figures(); }

 private:
  spool::Spool& spool_;
};

}  // namespace

std::unique_ptr<RelayQueue> queue_of(spool::Spool& spool) { return std::make_unique<SpoolQueue>(spool); }

}  // namespace doorward::delivery
