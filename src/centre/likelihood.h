// What the centre makes of what it knows: how likely a mail is bulk, spam, or part of an outbreak.
#pragma once

#include "base/clock.h"
#include "centre/verdicts.h"
#include "trust/reference_batch.h"
#include "trust/sightings.h"

namespace doorward::centre {

// What is known of one mail's text and files.
struct Knowledge {
  trust::Sightings::Seen seen{};       // without the sender who is asked about
  trust::Sightings::Seen witnesses{};  // gateways that told of it, where a program is in it
  Verdicts::Found said{};
  bool has_program = false;
};

// So many gateways have to have a program before its spreading alone makes an outbreak of it.
inline constexpr unsigned kEnoughWitnesses = 3;

// Why these: docs/decisions/0045.
trust::ReferenceAnswer answer_of(const Knowledge& known, SystemTime now);

}  // namespace doorward::centre
