// The heart: what all sessions share, and the maker of sessions.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/offload.h"
#include "delivery/notice_mail.h"
#include "delivery/proxy.h"
#include "delivery/recipient_check.h"
#include "gateway/authentication.h"
#include "gateway/centre_client.h"
#include "gateway/judge.h"
#include "gateway/learner.h"
#include "gateway/lists.h"
#include "gateway/sealing.h"
#include "gateway/witness.h"
#include "policy/snapshot.h"
#include "sheet/archive.h"
#include "smtp/handler.h"
#include "spool/spool.h"

namespace doorward::gateway {

struct Options {
  std::string host_name;
  std::optional<mail::Mailbox> postmaster;   // who gets mail for <postmaster> without a domain (RFC 5321 §4.5.1)
  size_t judge_offloaded_from = 256 * 1024;  // octets: longer messages are parsed and judged off the session's core
  // From the end of the data to the last reply, whatever backends do: the client waits 10 minutes (RFC 5321
  // §4.5.3.2.6), and what was taken but not answered by then comes a second time.
  std::chrono::milliseconds answer_within{540'000};
  delivery::NoticeStyle notice{};  // of what senders are told by mail
  AuthenticationOptions authentication{};
  std::shared_ptr<const Sealer> sealer{};  // none: nothing is sealed
};

// What is handed in. All outlive the gateway; those with a default may be null: without a spool nothing is relayed or
// kept.
struct Parts {
  const Clock& clock;
  Offload& offload;
  sheet::Archive* archive = nullptr;
  Memory memory{};
  Learner* learner = nullptr;
  spool::Spool* spool = nullptr;
  delivery::RecipientCheck* recipients = nullptr;
  net::Resolver* resolver = nullptr;
  Lists* lists = nullptr;
  CentreClient* centre = nullptr;
  Witness* witness = nullptr;
};

class Gateway final : public smtp::HandlerFactory {
 public:
  Gateway(Options options, Parts parts, std::shared_ptr<const policy::Snapshot> snapshot,
          std::vector<std::shared_ptr<delivery::BackendPool>> pools);  // one a core, by the core's index

  std::unique_ptr<smtp::Handler> open(net::Core& core) override;

  // A reload: transactions that have begun keep theirs.
  void set_snapshot(std::shared_ptr<const policy::Snapshot> snapshot);
  std::shared_ptr<const policy::Snapshot> snapshot() const;

  const Options& options() const { return options_; }
  const Parts& parts() const { return parts_; }
  const Judge& judge() const { return judge_; }
  Authenticator& authenticator() { return authenticator_; }
  delivery::BackendPool& pool(const net::Core& core);

 private:
  Options options_;
  Parts parts_;
  Judge judge_;
  Authenticator authenticator_;
  std::vector<std::shared_ptr<delivery::BackendPool>> pools_;
  mutable std::mutex lock_;
  std::shared_ptr<const policy::Snapshot> snapshot_;
};

}  // namespace doorward::gateway
