// Brings what the queue has for the vault into it. The spool's record is the commit of the mail; the import may be
// repeated as often as a crash likes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "policy/snapshot.h"
#include "spool/spool.h"
#include "vault/vault.h"

namespace doorward::vault {

// The spool's lane for the vault; a test has its own. All are called on the importer's thread.
struct Source {
  std::function<std::optional<spool::Job>()> take;
  std::function<Result<std::shared_ptr<const spool::Content>>(const spool::Mail&)> read;
  std::function<void(const spool::Job&, std::vector<spool::Outcome>)> report;
};
Source source_of(spool::Spool& spool);  // which must outlive it

using Snapshots = std::function<std::shared_ptr<const policy::Snapshot>()>;  // the present one, from any thread

// A thread of its own; it also sweeps the vault every few minutes.
class Importer {
 public:
  Importer(Vault& vault, Source source, Snapshots snapshots);
  ~Importer();  // stop()
  void start();
  void wake();  // something may be due: from any thread. Without it the thread looks every quarter of a second
  void stop();  // ends with what it has begun
  // One round: what is due now, at most `kBatch` mails; how many jobs it ended. For the thread, and for tests.
  size_t import_some();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace doorward::vault
