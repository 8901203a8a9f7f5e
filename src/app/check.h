// `doorward check`: what is wrong with the set-up, and how to mend it.
#pragma once

#include <string>

namespace doorward::app {

struct CheckOptions {
  std::string config_file;
  bool json = false;
};

// 0 when nothing is wrong, 1 otherwise.
int check(const CheckOptions& options);

}  // namespace doorward::app
