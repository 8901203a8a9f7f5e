// `doorward quarantine`: what is kept, and what becomes of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace doorward::app {

struct QuarantineOptions {
  enum class What : uint8_t { list, show, release, delete_ } what = What::list;
  std::string config_file{};
  std::vector<std::string> ids{};
  std::string sender{}, recipient{}, domain{}, subject{}, mail{};
  std::string klass{}, state{};
  std::string older_than{}, younger_than{};  // "90s", "2h", "3d"
  std::string customer{};                    // name or number; empty: all
  uint64_t most = 0;                         // entries; 0: 100 for lists, all for changes
  bool json = false;
  bool yes = false;                   // release and delete without ids
  bool headers = false, raw = false;  // of show
};

// The process's exit status: 0 done, 1 failed, 2 wrong usage, 3 no entry fits.
int quarantine_command(const QuarantineOptions& options);

}  // namespace doorward::app
