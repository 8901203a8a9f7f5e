#include "app/policy_file.h"

#include "base/log.h"
#include "config/toml.h"
#include "policy/difference.h"
#include "policy/file.h"
#include "policy/tables.h"

namespace doorward::app {

Result<policy::Policy> read_policy_file(const std::string& file) {
  const auto text = config::read_file(file);
  if (!text) return std::unexpected(text.error());
  return policy::parse_file(*text, file);
}

Result<bool> import_if_changed(store::Database& database, const std::string& file) {
  auto wanted = read_policy_file(file);
  if (!wanted) return std::unexpected(wanted.error());
  const auto stored = policy::read_policy(database);
  if (!stored) return std::unexpected(stored.error());
  if (policy::to_file(*stored) == policy::to_file(*wanted)) return false;
  if (auto done = policy::write_policy(database, *wanted); !done) return std::unexpected(done.error());
  log::info("policy.imported", {{"file", file}, {"changes", policy::difference(*stored, *wanted).size()}});
  return true;
}

}  // namespace doorward::app
