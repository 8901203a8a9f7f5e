#include "app/spool_command.h"

#include <fmt/format.h>

#include <cstdio>

#include <optional>

#include "app/config.h"
#include "app/privileges.h"
#include "spool/fsck.h"

namespace doorward::app {

int spool_command(const SpoolOptions& options) {
  std::string directory = options.directory;
  std::optional<Account> owner;
  if (directory.empty()) {
    const auto config = load_config(options.config_file);
    if (!config) {
      fmt::print(stderr, "doorward spool: {}\n", config.error().text());
      return 2;
    }
    directory = config->spool_path();
    owner = owner_of_files(config->user, config->group);
  }
  const ActingAs acting(owner);  // what is mended stays the gateway's
  auto found = spool::fsck(journal::real_disk(), directory, options.repair);
  if (!found) {
    fmt::print(stderr, "doorward spool: {}\n", found.error().text());
    return 2;
  }
  fmt::print("{}", options.json ? spool::to_json(*found) : spool::to_text(*found));
  if (!found->repaired.empty() && found->failed.empty()) return 0;
  return found->is_sound() ? 0 : 1;
}

}  // namespace doorward::app
