// Word statistics: what the words of a mail say about it, learnt from the mails before.
#pragma once

#include "filter/filter.h"

namespace doorward::filter {

const Filter& word_statistics();

}  // namespace doorward::filter
