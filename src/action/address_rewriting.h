// Recipients' addresses rewritten by patterns (C6).
#pragma once

#include "action/action.h"

namespace doorward::action {

const Action& address_rewriting();

}  // namespace doorward::action
