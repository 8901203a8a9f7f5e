// Header fields that tell the score; and foreign ones of the same names removed.
#pragma once

#include "action/action.h"

namespace doorward::action {

const Action& score_headers();

}  // namespace doorward::action
