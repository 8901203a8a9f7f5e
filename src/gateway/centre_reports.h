// What the fingerprint service is told of a mail (D6), once it is judged.
#pragma once

#include <span>
#include <string_view>

#include "gateway/centre_client.h"
#include "gateway/judge.h"
#include "trust/sightings.h"

namespace doorward::gateway {

// The mail's id. Empty where the mail is none to be known by, or a report of a mail server.
std::string reference_of(const CentreClient& centre, const Mail& mail, const trust::Fingerprint& print);

// Only of what came from several domains, or is spam whatever the centre said: personal mail is not told of, and the
// centre does not hear its own echo. `sightings` as they were before this mail; null: none are kept.
void report_to_centre(CentreClient& centre, const Mail& mail, std::span<const Group> groups,
                      const sheet::ScoreSheet& sheet, const trust::Fingerprint& print,
                      const trust::Sightings* sightings, SystemTime now);

// What a person says of a mail. False where it has nothing to be known by.
bool tell_centre(CentreClient& centre, trust::Report what, std::string_view raw);

}  // namespace doorward::gateway
