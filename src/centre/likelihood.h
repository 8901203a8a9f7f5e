// What the centre makes of what it knows: how likely a mail is bulk, spam, or part of an outbreak.
#pragma once

#include "base/clock.h"
#include "centre/verdicts.h"
#include "trust/reference_batch.h"
#include "trust/sightings.h"

namespace doorward::centre {

// `seen`: without the sender who is asked about. Why these: docs/decisions/0045.
trust::ReferenceAnswer answer_of(const trust::Sightings::Seen& seen, const Verdicts::Found& said, bool has_program,
                                 SystemTime now);

}  // namespace doorward::centre
