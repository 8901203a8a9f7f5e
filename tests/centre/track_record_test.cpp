#include "centre/track_record.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace doorward::centre {
namespace {

using namespace std::chrono_literals;
using Proof = TrackRecord::Proof;

constexpr SystemTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 9h;

TEST(TrackRecord, ANewReporterWeighsNothingUnlessTheOperatorVouches) {
  EXPECT_EQ(TrackRecord(false, 0, 0).weight(), 0);
  EXPECT_EQ(TrackRecord(true, 0, 0).weight(), 1);
  EXPECT_EQ(TrackRecord(true, 0, 50).weight(), 1);
}

TEST(TrackRecord, ConfirmedClaimsBuildWeightSlowlyAndContestedOnesTakeItFast) {
  TrackRecord record(false, 0, 0);
  double before = 0;
  for (int claim = 0; claim < 20; ++claim) {
    record.proven(Proof::confirmed);
    EXPECT_GT(record.weight(), before);
    before = record.weight();
  }
  EXPECT_NEAR(before, 0.5, 0.01);
  record.proven(Proof::open);
  EXPECT_EQ(record.weight(), before);
  record.proven(Proof::contested);
  record.proven(Proof::contested);
  record.proven(Proof::contested);
  EXPECT_LT(record.weight(), 0.35);
}

TEST(TrackRecord, OldMeritsFade) {
  TrackRecord record(false, 0, 0);
  for (int claim = 0; claim < 10'000; ++claim) record.proven(Proof::confirmed);
  for (int claim = 0; claim < 100; ++claim) record.proven(Proof::contested);
  EXPECT_LT(record.weight(), 0.3);
}

TEST(TrackRecord, ClaimsWaitTheirTimeAndAreBounded) {
  TrackRecord record(false, 0, 0);
  for (int claim = 0; claim < 5000; ++claim) record.claim({std::to_string(claim), Voice::filters, 0, kNow});
  EXPECT_TRUE(record.due(kNow + TrackRecord::kProofAfter - 1min).empty());
  const auto due = record.due(kNow + TrackRecord::kProofAfter);
  EXPECT_EQ(due.size(), 256u);
  EXPECT_TRUE(record.due(kNow + TrackRecord::kProofAfter).empty());
  // A sample of all of them: of the first half as many as of the second, about.
  const auto early = std::ranges::count_if(due, [](const auto& claim) { return std::stoi(claim.id) < 2500; });
  EXPECT_GT(early, 60);
  EXPECT_LT(early, 196);
}

Verdicts::Found said(Voice voice, double weight) {
  Verdicts::Found found;
  found.text.weight[static_cast<size_t>(voice)] = weight;
  return found;
}

TEST(TrackRecord, OthersHaveToSayTheSame) {
  const TrackRecord::Claim claim{"id", Voice::filters, 0, kNow};
  EXPECT_EQ(TrackRecord::proof_of(claim, {}), Proof::open);
  EXPECT_EQ(TrackRecord::proof_of(claim, said(Voice::filters, 1)), Proof::confirmed);
  EXPECT_EQ(TrackRecord::proof_of(claim, said(Voice::user_spam, 1)), Proof::confirmed);
  EXPECT_EQ(TrackRecord::proof_of(claim, said(Voice::filters, 0.25)), Proof::open);
  EXPECT_EQ(TrackRecord::proof_of(claim, said(Voice::not_spam, 1)), Proof::contested);
  const TrackRecord::Claim own{"id", Voice::filters, 0.5, kNow};
  EXPECT_EQ(TrackRecord::proof_of(own, said(Voice::filters, 1)), Proof::open) << "that may all be his own word";
  const TrackRecord::Claim good{"id", Voice::not_spam, 0, kNow};
  EXPECT_EQ(TrackRecord::proof_of(good, said(Voice::not_spam, 1)), Proof::confirmed);
  EXPECT_EQ(TrackRecord::proof_of(good, said(Voice::filters, 2)), Proof::contested);
}

}  // namespace
}  // namespace doorward::centre
