// Word statistics learn from what was judged (D4).
#pragma once

#include "action/action.h"

namespace doorward::action {

const Action& training();

}  // namespace doorward::action
