// `doorward serve`: the gateway as a running program.
#pragma once

#include <string>

namespace doorward::app {

struct ServeOptions {
  std::string config_file;
  bool print_config = false;
};

int serve(const ServeOptions& options);

}  // namespace doorward::app
