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
  // Nobody reviews in this release.
  if (wanted == Disposition::review) wanted = Disposition::quarantine;
  switch (mode) {
    case LegalMode::refuse_only:
      return Disposition::refuse;
    case LegalMode::quarantine:
      return wanted == Disposition::quarantine ? wanted : Disposition::refuse;
    case LegalMode::discard:
      return wanted == Disposition::discard ? wanted : Disposition::refuse;
    case LegalMode::tag_only:
      // An envelope that cannot be is not filtering: there is nothing to tag.
      if (klass == Class::sanity) return Disposition::refuse;
      return klass == Class::clean || klass == Class::unsure ? Disposition::deliver : Disposition::tag;
  }
  return Disposition::refuse;
}

}  // namespace doorward::policy
