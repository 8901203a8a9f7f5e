// What SPF, DKIM, DMARC and ARC say, as findings.
#pragma once

#include "filter/filter.h"

namespace doorward::filter {

const Filter& sender_authentication();

}  // namespace doorward::filter
