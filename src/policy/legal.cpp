#include "policy/legal.h"

#include <algorithm>

namespace doorward::policy {

using sheet::Class;
using sheet::Disposition;

LegalMode lawful(LegalMode wanted, const std::vector<Consent>& consents) {
  if (wanted == LegalMode::refuse_only || wanted == LegalMode::tag_only) return wanted;
  const bool given = std::ranges::any_of(consents, [&](const Consent& consent) { return consent.mode == wanted; });
  return given ? wanted : LegalMode::refuse_only;
}

Disposition allowed(LegalMode mode, Class klass, Disposition wanted) {
  if (wanted == Disposition::deliver || wanted == Disposition::tag) return wanted;
  // Nothing keeps quarantined mail in this release; refusing it is lawful everywhere, and loses nothing.
  if (wanted == Disposition::quarantine || wanted == Disposition::review) wanted = Disposition::refuse;
  switch (mode) {
    case LegalMode::refuse_only:
    case LegalMode::quarantine:
      return Disposition::refuse;
    case LegalMode::discard:
      return wanted;
    case LegalMode::tag_only:
      // An envelope that cannot be is not filtering: there is nothing to tag.
      if (klass == Class::sanity) return Disposition::refuse;
      return klass == Class::clean || klass == Class::unsure ? Disposition::deliver : Disposition::tag;
  }
  return Disposition::refuse;
}

}  // namespace doorward::policy
