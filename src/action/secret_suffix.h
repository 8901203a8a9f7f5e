// A secret suffix of the recipient's address lets the mail pass without filters (C6).
#pragma once

#include "action/action.h"

namespace doorward::action {

const Action& secret_suffix();

}  // namespace doorward::action
