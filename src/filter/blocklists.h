// What lists in the DNS say of where a mail comes from and of the domains it names (D2, D3).
#pragma once

#include "filter/filter.h"

namespace doorward::filter {

const Filter& blocklists();

}  // namespace doorward::filter
