// Who hands the mail in: the name of its address, and the name it greets with (B4).
#pragma once

#include "filter/filter.h"

namespace doorward::filter {

const Filter& client();

}  // namespace doorward::filter
