#include "app/policy_command.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "app/config.h"
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

Result<void> import_policy(store::Database& database, const policy::Policy& stored, const NodeConfig& config,
                           const PolicyOptions& options) {
  auto wanted = read(options.policy_file);
  if (!wanted) return std::unexpected(wanted.error());
  // What cannot be compiled must not be stored: the next start would fail over it.
  if (auto made = policy::Snapshot::make(*wanted, config.cache_directory); !made) return std::unexpected(made.error());
  const auto changes = policy::difference(stored, *wanted);
  if (!changes.empty()) {
    if (auto done = policy::write_policy(database, *wanted); !done) return done;
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
  std::error_code ignored;  // opening the database says what is wrong
  std::filesystem::create_directories(config->state_directory, ignored);
  const auto database = store::Database::open(config->policy_path());
  if (!database) return std::unexpected(database.error());
  const auto stored = policy::read_policy(**database);
  if (!stored) return std::unexpected(stored.error());
  switch (options.what) {
    case PolicyOptions::What::export_:
      return export_policy(*stored, options);
    case PolicyOptions::What::import_:
      return import_policy(**database, *stored, *config, options);
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
