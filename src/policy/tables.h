// The policy in the store.
#pragma once

#include "base/error.h"
#include "policy/model.h"

namespace doorward::store {
class Database;
}

namespace doorward::policy {

// Brings the schema "policy" to its newest version.
Result<void> prepare(store::Database& database);

// An empty store gives the default policy: the provider alone.
Result<Policy> read_policy(store::Database& database);

// Replaces what is stored, all or nothing. Tenants, lists, sets and backends that were there under the same name keep
// their ids, so that what was learned for them stays theirs; `policy` gets the ids. Precondition: validate() passed.
Result<void> write_policy(store::Database& database, Policy& policy);

}  // namespace doorward::policy
