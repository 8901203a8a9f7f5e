// `doorward centre enrol|list|…`: who may ask a detection centre; and `tell`, from a gateway.
#pragma once

#include <string>
#include <vector>

namespace doorward::app {

inline constexpr const char* kCentreState = "/var/lib/doorward-centre";

struct CentreOptions {
  enum class What { key, enrol, trust, distrust, revoke, list };
  What what = What::list;
  std::string state_directory = kCentreState;
  std::string name;
  bool trusted = false, json = false;
};
int centre_command(const CentreOptions& options);

struct CentreTellOptions {
  std::string config_file;
  std::vector<std::string> spam, not_spam, malicious;  // paths
};
int centre_tell(const CentreTellOptions& options);

}  // namespace doorward::app
