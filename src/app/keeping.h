// The wiring of what is kept and of what an administrator may ask: for the running gateway, and for a command that
// finds none running.
#pragma once

#include <memory>
#include <string>

#include "app/config.h"
#include "app/control_commands.h"
#include "app/privileges.h"
#include "vault/importer.h"

namespace doorward::app {

// Commits to the spool for threads that may block, over a core of its own.
class SpoolCommit {
 public:
  SpoolCommit();
  ~SpoolCommit();
  Result<void> commit(spool::Spool& spool, std::shared_ptr<const spool::Mail> mail,
                      std::shared_ptr<const spool::Content> content);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// In the running gateway: the vault, its importer, the control socket.
class Keeping {
 public:
  // `spool` outlives it. As the account that the gateway runs as, since files are made.
  static Result<std::unique_ptr<Keeping>> open(const NodeConfig& config, spool::Spool& spool, const Clock& clock,
                                               vault::Snapshots snapshots, TrustAccess trust,
                                               std::function<Result<report::SentReports>(bool all)> send_reports = {},
                                               std::function<void(std::string_view raw)> not_spam = {});
  ~Keeping();  // stop()
  void start();
  void wake();  // a mail for the vault was committed; from any thread
  void stop();  // before the spool ends
  vault::Vault& vault();

 private:
  struct State;
  explicit Keeping(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Has one request answered by the running gateway or, where none runs, right here, as `owner` of the files.
Result<void> request_control(const NodeConfig& config, std::string_view request, const Answer& answer);

}  // namespace doorward::app
