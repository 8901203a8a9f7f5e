#include "delivery/shares.h"

#include <gtest/gtest.h>

namespace doorward::delivery {
namespace {

using namespace std::chrono_literals;

TEST(BackendShare, KeepsToTheLimitThatTheServerShowsAndLooksAgainForMore) {
  BackendShare share(1);
  SteadyTime now{1h};
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(share.try_take(20, now));
  for (int i = 0; i < 2; ++i) {  // two of the five are turned away
    EXPECT_TRUE(share.found_full(now));
    share.give_back();
  }
  EXPECT_FALSE(share.try_take(20, now));
  share.give_back();
  EXPECT_TRUE(share.try_take(20, now));

  now += 3s;
  EXPECT_TRUE(share.try_take(20, now));   // one looks,
  EXPECT_FALSE(share.try_take(20, now));  // and only one
  share.found_room();
  EXPECT_TRUE(share.try_take(20, now));  // there is room: the next one looks at once
  EXPECT_TRUE(share.found_full(now));
  share.give_back();
  EXPECT_EQ(share.open(), 4U);
  EXPECT_FALSE(share.try_take(20, now));
  now += 3s;
  EXPECT_FALSE(share.try_take(4, now));  // never above what is set
}

TEST(BackendShare, AServerThatTurnsTheOnlyConnectionAwayIsNotFull) {
  BackendShare share(1);
  ASSERT_TRUE(share.try_take(20, SteadyTime{}));
  EXPECT_FALSE(share.found_full(SteadyTime{}));
  EXPECT_TRUE(share.try_take(20, SteadyTime{}));
}

}  // namespace
}  // namespace doorward::delivery
