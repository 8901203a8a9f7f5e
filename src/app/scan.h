// `doorward scan`: score sheets of mails on disk, or of one that the gateway has judged.
#pragma once

#include <string>
#include <vector>

#include "app/judging.h"

namespace doorward::app {

struct ScanOptions {
  bool json = false;
  std::string config_file;
  AssumedEnvelope envelope;
  std::string reference;  // not empty: show that mail's stored sheet, and scan nothing
  std::vector<std::string> paths;
};

int scan(const ScanOptions& options);

}  // namespace doorward::app
