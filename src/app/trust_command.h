// `doorward trust`: what past correspondence says about somebody, and what an administrator says instead.
#pragma once

#include <cstdint>
#include <string>

namespace doorward::app {

struct TrustOptions {
  enum class What : uint8_t { show, set, forget } what = What::show;
  std::string config_file{};
  std::string whom{};       // an address or a domain
  std::string recipient{};  // of show
  std::string customer{};   // name or number; empty: the only one
  int level = 0;
  bool json = false;
};

// The process's exit status: 0 done, 1 failed, 2 wrong usage, 3 nothing is known.
int trust_command(const TrustOptions& options);

}  // namespace doorward::app
