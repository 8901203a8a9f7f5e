// What a mail says about who knows whom (D1), once it is answered: for the Level of Trust.
#pragma once

#include <span>

#include "gateway/judge.h"
#include "gateway/learner.h"
#include "sheet/sheet.h"

namespace doorward::gateway {

// `groups` and the sheet's verdicts belong together; the verdicts have their replies. Mail that is put off says nothing
// yet: it comes again.
void note_exchange(Learner& learner, const Mail& mail, std::span<const Group> groups, const sheet::ScoreSheet& sheet,
                   SystemTime now);

}  // namespace doorward::gateway
