// Writes the policy's tables anew; the caller holds the transaction.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "policy/model.h"
#include "store/database.h"

namespace doorward::policy {

class TableWriter {
 public:
  TableWriter(store::Database& database, Policy& policy) : database_(database), policy_(policy) {}
  Result<void> run();

 private:
  // What an id is of: ("domain", "example.org"), ("backend", "main") …
  using Known = std::map<std::pair<std::string, std::string>, uint64_t>;
  struct Statements;

  Result<void> learn_ids();
  Result<void> take_ids();  // the stored ones by name, then new ones from the counter
  Result<void> write_shared(Statements& statements);
  Result<void> write_rules(Statements& statements, uint64_t set, uint64_t tenant, const std::string& name,
                           const std::vector<WrittenRule>& rules);
  Result<void> write_tenant(Statements& statements, const Tenant& tenant, uint64_t parent);
  Result<void> write_owned(Statements& statements, const Tenant& tenant);

  store::Database& database_;
  Policy& policy_;
  Known known_;
  std::map<uint64_t, uint64_t> own_sets_;  // tenant → its own rule set
};

}  // namespace doorward::policy
