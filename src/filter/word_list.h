// Words and phrases that speak for or against a mail, from the lists of the tenants (D7).
#pragma once

#include "filter/filter.h"

namespace doorward::filter {

const Filter& word_list();

}  // namespace doorward::filter
