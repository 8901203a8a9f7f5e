#include "policy/tables.h"

#include "policy/schema.h"
#include "policy/table_reader.h"
#include "policy/table_writer.h"

namespace doorward::policy {

Result<void> prepare(store::Database& database) { return store::migrate(database, "policy", migrations()); }

Result<Policy> read_policy(store::Database& database) {
  if (auto done = prepare(database); !done) return std::unexpected(done.error());
  Policy policy;
  // One transaction, so that an import meanwhile is seen wholly or not at all.
  auto read = database.transaction([&] { return TableReader(database, policy).run(); });
  if (!read) return std::unexpected(read.error());
  policy.sort();
  return policy;
}

Result<void> write_policy(store::Database& database, Policy& policy) {
  if (auto done = prepare(database); !done) return done;
  policy.sort();
  return database.transaction([&] { return TableWriter(database, policy).run(); });
}

}  // namespace doorward::policy
