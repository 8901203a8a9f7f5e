#include "mailauth/result.h"

#include <gtest/gtest.h>

namespace doorward::mailauth {
namespace {

TEST(Result, HasTheWordsOfRfc8601) {
  EXPECT_EQ(text(Result::none), "none");
  EXPECT_EQ(text(Result::pass), "pass");
  EXPECT_EQ(text(Result::softfail), "softfail");
  EXPECT_EQ(text(Result::policy), "policy");
  EXPECT_EQ(text(Result::temperror), "temperror");
  EXPECT_EQ(text(Result::permerror), "permerror");
}

}  // namespace
}  // namespace doorward::mailauth
