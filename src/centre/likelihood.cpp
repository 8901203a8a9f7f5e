#include "centre/likelihood.h"

#include <algorithm>
#include <cmath>

namespace doorward::centre {
namespace {

using trust::Likeness;
using trust::Sighting;

// What a word weighs beside that of a reporter's filters. A person who looked counts for more; one who misses a mail
// that was held back has the most to lose.
constexpr double kOfPerson = 2, kOfNotSpam = 4, kOfMalicious = 2;
// Half a likelihood each: so much weight of spam, of malice, so many other domains.
constexpr double kHalfSpam = 2, kHalfMalice = 1, kHalfBulk = 4, kHalfOutbreak = 5;
// A program that comes from many domains is an outbreak while it is new; later, virus scanners know it.
constexpr std::chrono::hours kOutbreakLasts{24};
constexpr double kUnwitnessed = 0.7;  // worth points, and no certainty

double share(double of, double half) { return of <= 0 ? 0 : of / (of + half); }

double bad(const Said& said) { return said.of(Voice::filters) + kOfPerson * said.of(Voice::user_spam); }
double good(const Said& said) { return kOfNotSpam * said.of(Voice::not_spam); }

// What is said against it counts twice: as what is missing, and as doubt.
double spam(const Said& said) {
  const double against = good(said), worse = bad(said) + kOfMalicious * said.of(Voice::malicious);
  return worse <= against ? 0 : (worse - against) / (worse + against + kHalfSpam);
}

double malice(const Said& said) {
  return share(std::max(0.0, kOfMalicious * said.of(Voice::malicious) - good(said)), kHalfMalice);
}

// Whom to believe how many domains there are: one gateway alone could name any file, and nothing else would be needed
// to have all others refuse it.
double spread(const Sighting& seen, const Sighting& witnesses, const Said& said, SystemTime now) {
  if (seen.own || good(said) > 0 || seen.since + kOutbreakLasts < now) return 0;
  const double likely = share(std::round(seen.others), kHalfOutbreak);
  return std::round(witnesses.others) < kEnoughWitnesses ? std::min(likely, kUnwitnessed) : likely;
}

}  // namespace

trust::ReferenceAnswer answer_of(const Knowledge& known, SystemTime now) {
  constexpr auto kText = static_cast<size_t>(Likeness::text), kFile = static_cast<size_t>(Likeness::attachment);
  const Sighting &text = known.seen[kText], &file = known.seen[kFile];
  const Verdicts::Found& said = known.said;
  const double domains = std::round(std::max(text.others, file.others));
  trust::ReferenceAnswer answer;
  answer.bulk = share(domains, kHalfBulk);
  answer.spam = std::max(spam(said.text), spam(said.attachment));
  answer.outbreak = std::max(malice(said.text), malice(said.attachment));
  if (known.has_program) {
    answer.outbreak = std::max({answer.outbreak, spread(text, known.witnesses[kText], said.text, now),
                                spread(file, known.witnesses[kFile], said.attachment, now)});
  }
  answer.domains = trust::breadth_of(domains);
  answer.gateways = trust::breadth_of(std::max(said.text.reporters, said.attachment.reporters));
  SystemTime since = SystemTime::max();
  for (const auto* sighting : {&text, &file}) {
    if (sighting->others > 0) since = std::min(since, sighting->since);
  }
  for (const auto* words : {&said.text, &said.attachment}) {
    if (words->any()) since = std::min(since, words->since);
  }
  answer.known = since != SystemTime::max();
  if (answer.known) answer.since = since;
  return answer;
}

}  // namespace doorward::centre
