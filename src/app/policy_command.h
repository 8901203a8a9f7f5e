// doorward policy export | import | diff: the tenants' settings as one readable file (docs/policy.md).
#pragma once

#include <string>

namespace doorward::app {

struct PolicyOptions {
  enum class What { export_, import_, diff };
  What what = What::export_;
  std::string config_file;
  std::string policy_file;  // export: empty for standard output
  bool json = false;        // diff
};

// The process's exit status: 0 done, 1 failed (with the reason on standard error).
int policy_command(const PolicyOptions& options);

}  // namespace doorward::app
