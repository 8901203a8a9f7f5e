// Authentication-Results (RFC 8601) for those behind us.
#pragma once

#include "action/action.h"

namespace doorward::action {

const Action& authentication_results();

}  // namespace doorward::action
