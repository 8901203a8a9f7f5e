// A tag in front of the subject of what was judged (C5).
#pragma once

#include "action/action.h"

namespace doorward::action {

const Action& subject_tag();

}  // namespace doorward::action
