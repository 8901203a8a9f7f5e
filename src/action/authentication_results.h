// Authentication-Results (RFC 8601) for those behind us.
#pragma once

#include <vector>

#include "action/action.h"
#include "mailauth/authentication_results.h"

namespace doorward::action {

const Action& authentication_results();

// What stands in the field: of each method what it came to. Empty where nobody asked.
std::vector<mailauth::MethodResult> results_of(const filter::Facts& facts, const mail::Client& client,
                                               const mail::Envelope& envelope);

}  // namespace doorward::action
