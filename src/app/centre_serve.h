// `doorward centre serve`: a detection centre, the other end of the fingerprint service.
#pragma once

#include <cstddef>
#include <string>

#include "app/centre_command.h"
#include "centre/reporters.h"
#include "net/tls.h"

namespace doorward::app {

struct CentreServeOptions {
  std::string state_directory = kCentreState;
  std::string listen = "127.0.0.1:8026", http = "127.0.0.1:8027";
  net::Certificate certificate{};  // none: without TLS
  unsigned cores = 0;              // 0: as many as the machine has
  size_t entries = size_t{1} << 22;
  centre::ReporterLimits limits{};
};
// The process's exit status.
int centre_serve(const CentreServeOptions& options);

}  // namespace doorward::app
