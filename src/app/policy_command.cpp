#include "app/policy_command.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>

#include "app/config.h"
#include "app/privileges.h"
#include "base/handle.h"
#include "config/toml.h"
#include "policy/difference.h"
#include "policy/file.h"
#include "policy/snapshot.h"
#include "policy/tables.h"
#include "store/database.h"

namespace doorward::app {
namespace {

// Whole or not at all: a policy that was cut short would import as a smaller one.
Result<void> write_file(const std::string& path, const std::string& text) {
  const std::string unfinished = path + ".new";
  {
    Handle<std::FILE, std::fclose> file(std::fopen(unfinished.c_str(), "wb"));
    const bool written =
        file && std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() && std::fflush(file.get()) == 0;
    if (!written) return fail(fmt::format("the file cannot be written: {}", std::strerror(errno)), unfinished);
  }
  std::error_code failure;
  std::filesystem::rename(unfinished, path, failure);
  if (failure) return fail("the file cannot be written: " + failure.message(), path);
  return {};
}

Result<void> export_policy(const policy::Policy& stored, const PolicyOptions& options) {
  const std::string text = policy::to_file(stored);
  if (!options.policy_file.empty() && options.policy_file != "-") return write_file(options.policy_file, text);
  fmt::print("{}", text);
  return {};
}

Result<policy::Policy> read(const std::string& file) {
  const auto text = config::read_file(file);
  if (!text) return std::unexpected(text.error());
  return policy::parse_file(*text, file);
}

using Owner = std::optional<Account>;

// The store is the gateway's whoever calls; files that the caller names are read and written as the caller.
Result<policy::Policy> read_stored(const NodeConfig& config, const Owner& owner) {
  const ActingAs acting(owner);
  const auto database = store::Database::open(config.policy_path());
  if (!database) return std::unexpected(database.error());
  return policy::read_policy(**database);
}

Result<void> store_policy(policy::Policy& wanted, const NodeConfig& config, const Owner& owner) {
  const ActingAs acting(owner);
  const auto database = store::Database::open(config.policy_path());
  if (!database) return std::unexpected(database.error());
  return policy::write_policy(**database, wanted);
}

Result<void> import_policy(const policy::Policy& stored, const NodeConfig& config, const Owner& owner,
                           const PolicyOptions& options) {
  auto wanted = read(options.policy_file);
  if (!wanted) return std::unexpected(wanted.error());
  {
    // What cannot be compiled must not be stored: the next start would fail over it.
    const ActingAs acting(owner);
    const auto made = policy::Snapshot::make(*wanted, config.cache_directory);
    if (!made) return std::unexpected(made.error());
  }
  const auto changes = policy::difference(stored, *wanted);
  if (!changes.empty()) {
    if (auto done = store_policy(*wanted, config, owner); !done) return done;
  }
  fmt::print("{}{} changes imported{}\n", policy::to_text(changes), changes.size(),
             changes.empty() ? "" : "; a running gateway takes them at its next reload (SIGHUP)");
  if (!config.policy_file.empty() && std::filesystem::absolute(options.policy_file) != config.policy_file) {
    fmt::print(stderr, "doorward policy: {} names policy = \"{}\", which replaces this import at the next reload\n",
               options.config_file, config.policy_file);
  }
  return {};
}

Result<void> show_difference(const policy::Policy& stored, const PolicyOptions& options) {
  const auto wanted = read(options.policy_file);
  if (!wanted) return std::unexpected(wanted.error());
  const auto changes = policy::difference(stored, *wanted);
  if (options.json) {
    fmt::print("{}", policy::to_json(changes));
  } else {
    fmt::print("{}", changes.empty() ? "nothing would change\n" : policy::to_text(changes));
  }
  return {};
}

Result<void> run(const PolicyOptions& options) {
  const auto config = load_config(options.config_file);
  if (!config) return std::unexpected(config.error());
  const auto owner = owner_of_files(config->user, config->group);
  if (auto made = make_folder_for(config->state_directory, owner); !made) return made;
  const auto stored = read_stored(*config, owner);
  if (!stored) return std::unexpected(stored.error());
  switch (options.what) {
    case PolicyOptions::What::export_:
      return export_policy(*stored, options);
    case PolicyOptions::What::import_:
      return import_policy(*stored, *config, owner, options);
    case PolicyOptions::What::diff:
      return show_difference(*stored, options);
  }
  return {};
}

}  // namespace

int policy_command(const PolicyOptions& options) {
  const auto done = run(options);
  if (done) return 0;
  fmt::print(stderr, "{}\n", done.error().text());
  return 1;
}

}  // namespace doorward::app
