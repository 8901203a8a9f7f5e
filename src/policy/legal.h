// What the legal modes allow (C3).
#pragma once

#include "policy/model.h"

namespace doorward::policy {

// The mode that holds: quarantine and discard fall back to refuse-only without a recorded consent to them.
LegalMode lawful(LegalMode wanted, const std::vector<Consent>& consents);

// The disposition that comes nearest to the one wanted: refusal under refuse-only, tagging or delivery under tag-only.
sheet::Disposition allowed(LegalMode mode, sheet::Class klass, sheet::Disposition wanted);

}  // namespace doorward::policy
