// What one table of the policy says of another: names that must exist, names that must be there once.
#pragma once

#include "config/problems.h"
#include "policy/model.h"

namespace doorward::policy {

void validate(const Policy& policy, config::Problems& problems);

}  // namespace doorward::policy
