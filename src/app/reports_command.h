// `doorward reports`: sending our own, and looking at those that came in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace doorward::app {

struct ReportsOptions {
  enum class What : uint8_t { send, import_, list, show, sources } what = What::list;
  std::string config_file{};
  std::vector<std::string> files{};  // import
  std::string id{};                  // show
  std::string domain{}, kind{}, since{};
  uint64_t most = 0;  // 0: 100
  bool now = false;   // send: also of a period that is not over
  bool json = false;
};

// The process's exit status: 0 done, 1 failed, 2 wrong usage, 3 nothing fits.
int reports_command(const ReportsOptions& options);

}  // namespace doorward::app
