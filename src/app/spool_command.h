// doorward spool fsck: checks every checksum of the spool, and says what is damaged and what that means.
#pragma once

#include <string>

namespace doorward::app {

struct SpoolOptions {
  std::string directory{};    // the spool's; empty: that of the configuration
  std::string config_file{};  // doorward.toml
  bool repair = false;
  bool json = false;
};

// The process's exit status: 0 sound (or mended), 1 damaged, 2 it could not be looked at.
int spool_command(const SpoolOptions& options);

}  // namespace doorward::app
