// One's own domain, in mail that comes from outside (B4).
#pragma once

#include "filter/filter.h"

namespace doorward::filter {

const Filter& own_domain();

}  // namespace doorward::filter
