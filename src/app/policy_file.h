// The policy file that doorward.toml names: a small installation has its tenants in one file and no other place.
#pragma once

#include <string>

#include "base/error.h"
#include "policy/model.h"

namespace doorward::store {
class Database;
}

namespace doorward::app {

// The policy as the file has it, without any store.
Result<policy::Policy> read_policy_file(const std::string& file);

// Makes the store say what the file says; true where that changed anything. The file is the truth: what was imported
// from elsewhere meanwhile is replaced. A file that is wrong changes nothing.
Result<bool> import_if_changed(store::Database& database, const std::string& file);

}  // namespace doorward::app
