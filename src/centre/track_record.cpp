#include "centre/track_record.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace doorward::centre {
namespace {

constexpr size_t kSample = 256;
// Twenty confirmed claims make half a weight; a contested one undoes the worth of several.
constexpr double kHalf = 20, kContested = 8;
// What others have to have said; on the day after, half of a whole weight is left.
constexpr double kEnough = 0.5;
// Old merits fade, so that who turns bad is found out.
constexpr double kMostRemembered = 400;

double bad(const Said& said) { return said.of(Voice::filters) + said.of(Voice::user_spam) + said.of(Voice::malicious); }

}  // namespace

double TrackRecord::weight() const {
  if (trusted_) return 1;
  return confirmed_ / (confirmed_ + kContested * contested_ + kHalf);
}

void TrackRecord::claim(Claim claim) {
  ++seen_;
  if (claims_.size() < kSample) {
    claims_.push_back(std::move(claim));
    return;
  }
  const uint64_t place = std::uniform_int_distribution<uint64_t>(0, seen_ - 1)(random_);
  if (place < kSample) claims_[place] = std::move(claim);
}

std::vector<TrackRecord::Claim> TrackRecord::due(SystemTime now) {
  const auto later = std::partition(claims_.begin(), claims_.end(),
                                    [now](const Claim& claim) { return claim.said + kProofAfter > now; });
  std::vector<Claim> taken(std::make_move_iterator(later), std::make_move_iterator(claims_.end()));
  claims_.erase(later, claims_.end());
  if (!taken.empty()) seen_ = claims_.size();
  return taken;
}

void TrackRecord::proven(Proof proof) {
  if (proof == Proof::open) return;
  (proof == Proof::confirmed ? confirmed_ : contested_) += 1;
  if (confirmed_ + contested_ <= kMostRemembered) return;
  confirmed_ /= 2;
  contested_ /= 2;
}

TrackRecord::Proof TrackRecord::proof_of(const Claim& claim, const Verdicts::Found& said) {
  // His own word is in the sums, once a day.
  const double own = 2 * claim.weight;
  const bool blames = claim.voice != Voice::not_spam;
  const double worse = std::max(bad(said.text), bad(said.attachment));
  const double better = std::max(said.text.of(Voice::not_spam), said.attachment.of(Voice::not_spam));
  const double same = (blames ? worse : better) - own, opposite = blames ? better : worse;
  if (opposite >= kEnough && opposite >= same) return Proof::contested;
  return same >= kEnough ? Proof::confirmed : Proof::open;
}

}  // namespace doorward::centre
