// `doorward queue`: what waits, and steering it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace doorward::app {

struct QueueOptions {
  enum class What : uint8_t { list, show, retry, hold, release, remove, bounce } what = What::list;
  std::string config_file{};
  std::vector<std::string> ids{};
  std::string sender{}, recipient{}, domain{}, destination{}, reason{};
  std::string customer{};                    // name or number; empty: all
  std::string older_than{}, younger_than{};  // "90s", "2h", "3d"
  bool held = false, stranded = false;
  uint64_t most = 0;  // mails; 0: 100 for lists, all for changes
  bool json = false;
  bool force = false;                 // bounce, also to senders that are not proven
  bool yes = false;                   // remove and bounce without ids
  bool headers = false, raw = false;  // of show
};

// The process's exit status: 0 done, 1 failed, 2 wrong usage, 3 no mail fits.
int queue_command(const QueueOptions& options);

}  // namespace doorward::app
