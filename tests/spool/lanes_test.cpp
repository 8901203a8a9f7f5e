#include "spool/lanes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace doorward::spool {
namespace {

class LanesTest : public testing::Test {
 protected:
  uint32_t lane(const std::string& name) { return lanes_.use({Destination::Kind::mx, name}); }
  // The lane that the next job comes from; none: UINT32_MAX.
  uint32_t take() {
    uint32_t from = UINT32_MAX;
    return lanes_.take(Spool::For::delivery, now_, from) ? from : UINT32_MAX;
  }
  uint32_t add(const std::string& name) {
    const uint32_t number = lane(name);
    lanes_.schedule(number, slots_++, now_);
    return number;
  }
  uint32_t that_ended(const std::string& name, Health health) {
    const uint32_t number = add(name);
    EXPECT_EQ(take(), number);
    lanes_.finished(number, health, now_);
    return number;
  }

  Options options_ = [] {
    Options made;
    made.most_untried = 3;
    made.most_failed = 2;
    return made;
  }();
  Lanes lanes_{options_};
  int64_t now_ = 1'000'000;
  uint32_t slots_ = 0;
};

TEST_F(LanesTest, ACrowdOfFailedDestinationsUsesUpOnlyItsPlaces) {
  std::vector<uint32_t> failed;
  for (int i = 0; i < 10; ++i) failed.push_back(that_ended("dead" + std::to_string(i), Health::dead));
  const uint32_t proven = that_ended("live", Health::good);
  now_ += 3'600'000;
  for (const uint32_t each : failed) lanes_.schedule(each, slots_++, now_);
  std::set<uint32_t> taken{take(), take()};
  EXPECT_EQ(taken.size(), 2U);
  EXPECT_EQ(take(), UINT32_MAX);
  EXPECT_NE(lanes_.next_due(Spool::For::delivery), 0);  // or the caller would come back at once, for nothing
  lanes_.schedule(proven, slots_++, now_);
  EXPECT_EQ(take(), proven);
  lanes_.finished(*taken.begin(), Health::dead, now_);
  EXPECT_NE(take(), UINT32_MAX);
  EXPECT_EQ(take(), UINT32_MAX);
}

TEST_F(LanesTest, ACrowdOfUntriedDestinationsUsesUpOnlyItsPlaces) {
  const uint32_t proven = that_ended("live", Health::good);
  for (int i = 0; i < 10; ++i) add("new" + std::to_string(i));
  for (int i = 0; i < 3; ++i) EXPECT_NE(take(), UINT32_MAX);
  EXPECT_EQ(take(), UINT32_MAX);
  lanes_.schedule(proven, slots_++, now_);
  EXPECT_EQ(take(), proven);
}

TEST_F(LanesTest, TheStandingsTakeTurns) {
  const uint32_t proven = that_ended("live", Health::good);
  const uint32_t failed = that_ended("dead", Health::dead);
  now_ += 3'600'000;
  lanes_.schedule(failed, slots_++, now_);
  const uint32_t untried = add("new");
  for (int i = 0; i < 20; ++i) lanes_.schedule(proven, slots_++, now_);
  std::vector<uint32_t> order;
  for (int i = 0; i < 10; ++i) {
    order.push_back(take());
    if (order.back() == proven) lanes_.finished(proven, Health::good, now_);
  }
  EXPECT_EQ(std::ranges::count(order, proven), 8);
  EXPECT_EQ(std::ranges::count(order, untried), 1);
  EXPECT_EQ(std::ranges::count(order, failed), 1);
}

TEST_F(LanesTest, OneThatFailedAndTakesMailAgainIsProven) {
  const uint32_t number = that_ended("back", Health::dead);
  now_ += 3'600'000;
  lanes_.schedule(number, slots_++, now_);
  EXPECT_EQ(take(), number);
  lanes_.finished(number, Health::good, now_);
  for (int i = 0; i < 4; ++i) lanes_.schedule(number, slots_++, now_);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(take(), number);  // more than the untried or the failed have places
}

TEST_F(LanesTest, ABackendWaitsForNoCrowd) {
  const uint32_t backend = lanes_.use({Destination::Kind::backend, "100"});
  for (int i = 0; i < 10; ++i) add("new" + std::to_string(i));
  for (int i = 0; i < 3; ++i) EXPECT_NE(take(), UINT32_MAX);
  EXPECT_EQ(take(), UINT32_MAX);
  lanes_.schedule(backend, slots_++, now_);
  EXPECT_EQ(take(), backend);
  lanes_.finished(backend, Health::dead, now_);
  lanes_.doubt(backend);
  now_ += 3'600'000;
  lanes_.schedule(backend, slots_++, now_);
  EXPECT_EQ(take(), backend);
}

TEST_F(LanesTest, WhatAnEarlierProcessLeftIsDoubtedUntilThereIsNewMail) {
  std::vector<uint32_t> doubted;
  for (int i = 0; i < 5; ++i) {
    doubted.push_back(add("dead" + std::to_string(i)));
    lanes_.doubt(doubted.back());
  }
  EXPECT_NE(take(), UINT32_MAX);
  EXPECT_NE(take(), UINT32_MAX);
  EXPECT_EQ(take(), UINT32_MAX);
  lanes_.trust_again(doubted.back());
  EXPECT_EQ(take(), doubted.back());
}

TEST_F(LanesTest, AProvenDestinationIsRememberedWhileManyOthersWait) {
  const uint32_t proven = that_ended("live", Health::good);
  lanes_.unuse(proven);
  for (int i = 0; i < 5000; ++i) add("waits" + std::to_string(i));
  for (int i = 0; i < 3; ++i) EXPECT_NE(take(), UINT32_MAX);
  EXPECT_EQ(take(), UINT32_MAX);
  EXPECT_EQ(take(), UINT32_MAX);
  EXPECT_EQ(add("live"), proven);
  EXPECT_EQ(take(), proven);
}

TEST_F(LanesTest, OfDestinationsWithoutMailOnlyTheLatestAreRemembered) {
  for (int i = 0; i < 10'000; ++i) lanes_.unuse(lane("once" + std::to_string(i)));
  EXPECT_LE(lanes_.size(), 4096U);
  EXPECT_TRUE(lanes_.find({Destination::Kind::mx, "once9999"}));
  EXPECT_FALSE(lanes_.find({Destination::Kind::mx, "once0"}));
}

}  // namespace
}  // namespace doorward::spool
