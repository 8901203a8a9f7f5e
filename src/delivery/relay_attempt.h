// One attempt to deliver a job: to its backend, or to the hosts of its domain in their order.
#pragma once

#include <atomic>
#include <boost/intrusive/list.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "delivery/pool.h"
#include "delivery/relay.h"
#include "delivery/relay_hosts.h"
#include "delivery/relay_outcome.h"

namespace doorward::delivery {

// What one recipient of the job was answered.
struct Answered {
  size_t recipient = 0;  // position in mail->recipients
  bool settled = false;  // false: open, and to be tried again
  Meaning meaning{};
  smtp::Reply words{0, ""};          // the next hop's own, or ours
  std::string remote{};              // who said so: name and address
  std::string remote_name{};         // of an MX host
  bool dsn_passed = false;           // the next hop has the recipient's DSN parameters
  spool::Destination destination{};  // for reroute
};

// What the attempts of a worker and those who wait for their end tell each other.
struct RelayStop {
  const std::atomic<bool>& stopping;  // who has no host yet gives up
  std::atomic<size_t>& looking;       // attempts that have no host yet: nothing of a mail is under way
};

// An attempt is looking for a host.
class Looking {
 public:
  explicit Looking(std::atomic<size_t>& count) : count_(count) { ++count_; }
  ~Looking() { --count_; }
  Looking(const Looking&) = delete;
  Looking& operator=(const Looking&) = delete;

 private:
  std::atomic<size_t>& count_;
};

class RelayAttempt
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  // All outlive the attempt. The job's recipients wait for an answer each.
  RelayAttempt(const RelayOptions& options, const RelayParts& parts, net::Core& core, BackendPool& pool,
               RelayHosts& hosts, const spool::Job& job, RelayStop stop);

  Task<void> run();
  // All that are open get this, without an attempt.
  void answer_all(spool::Outcome::Kind kind, const smtp::Reply& reply);
  void cancel();  // the connection is closed, and run() ends soon
  bool cancelled() const { return cancelled_; }

  std::vector<Answered>& answers() { return answers_; }
  spool::Health health() const;
  // The mail's bytes, read on the offload pool where they are not at hand; none: they cannot be read now.
  Task<std::shared_ptr<const spool::Content>> content();

 private:
  enum class Next : uint8_t { done, other_host };
  enum class Step : uint8_t {
    done,
    more /* recipients than one transaction takes */,
    broken,
    closing,
    unfit /* for this mail */
  };

  Task<void> run_backend();
  Task<void> run_mx();
  Task<Next> through(std::shared_ptr<const policy::Backend> host, NextHop hop);
  Task<bool> connect(std::shared_ptr<const policy::Backend> host, NextHop hop, bool fresh);
  Task<Step> transact(NextHop hop);
  Task<Step> hand_over(NextHop hop, std::vector<size_t> taken, bool more);
  std::vector<size_t> supported(NextHop hop);
  Step broken(const net::IoFailure& failure);
  Meaning judge(NextHop hop, Stage stage, std::string_view at, const smtp::Reply& words);
  void settle(size_t position, Meaning meaning, const smtp::Reply& words);
  void reroute(size_t position, spool::Destination to);
  void note(Meaning meaning, const smtp::Reply& words);  // for those that stay open
  bool any_open() const;
  void give_up_if_stopping() { cancelled_ = cancelled_ || stop_.stopping.load(std::memory_order_relaxed); }
  const spool::Recipient& recipient(size_t position) const {
    return job_.mail->recipients[answers_[position].recipient];
  }

  const RelayOptions& options_;
  const RelayParts& parts_;
  net::Core& core_;
  BackendPool& pool_;
  RelayHosts& hosts_;
  const spool::Job& job_;
  RelayStop stop_;
  mail::Envelope envelope_;
  std::vector<Answered> answers_;
  std::shared_ptr<const spool::Content> content_;
  std::unique_ptr<BackendConnection> connection_;
  std::string remote_, remote_name_;  // of the connection, or of the last one tried
  std::optional<Meaning> refused_;    // a host or domain refused for good; others may not
  smtp::Reply refused_words_{0, ""};
  std::string refused_remote_;
  bool wanting_ = false;  // some host was not reached or was busy: to be tried again
  bool good_ = false, busy_ = false, dead_ = false, cancelled_ = false;
};

}  // namespace doorward::delivery
