// The word list that comes with the default policy.
#pragma once

#include <cstdint>

#include "filter/word_automaton.h"

namespace doorward::filter {

inline constexpr uint64_t kBaseWordList = 1;  // its id; no tenant's list has it
const WordList& base_word_list();

}  // namespace doorward::filter
