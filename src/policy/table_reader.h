// Reads the policy's tables; the caller holds the transaction.
#pragma once

#include <functional>
#include <string_view>
#include <unordered_map>

#include "policy/model.h"
#include "store/database.h"

namespace doorward::policy {

class TableReader {
 public:
  TableReader(store::Database& database, Policy& policy) : database_(database), policy_(policy) {}
  Result<void> run();

 private:
  using Row = std::function<void(store::Statement&)>;
  Result<void> each(std::string_view sql, const Row& row);
  Result<void> read_shared();   // backends, word lists
  Result<void> read_tenants();  // the tree, bare
  Result<void> read_rules();
  Result<void> read_owned();  // what tenants have
  Tenant* tenant(int64_t id);
  void index(Tenant& tenant);

  store::Database& database_;
  Policy& policy_;
  std::unordered_map<uint64_t, Tenant*> tenants_;
};

}  // namespace doorward::policy
