// Blocks and passes of the tenants: sender, sender's domain, network, file name, parts of subject and body (C4).
#pragma once

#include "filter/filter.h"

namespace doorward::filter {

const Filter& blocks_and_passes();

}  // namespace doorward::filter
