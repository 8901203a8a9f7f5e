// Root is needed to bind port 25, and for nothing after that.
#pragma once

#include <string>

#include "base/error.h"

namespace doorward::app {

// Becomes `user` (and its group, no others) for good. Does nothing when not root. An empty user is refused for root
// unless `may_stay_root`.
Result<void> drop_root(const std::string& user, const std::string& group, bool may_stay_root);

}  // namespace doorward::app
