#include "centre/likelihood.h"

#include <gtest/gtest.h>

namespace doorward::centre {
namespace {

using namespace std::chrono_literals;
using trust::Likeness;

constexpr SystemTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 9h;

struct Known : Knowledge {
  Known& from(double domains, Likeness kind = Likeness::text, SystemTime since = kNow - 1h) {
    seen[static_cast<size_t>(kind)] = {domains, since, false};
    return *this;
  }
  Known& witnessed(double gateways, Likeness kind) {
    witnesses[static_cast<size_t>(kind)] = {gateways, kNow - 1h, false};
    return *this;
  }
  Known& say(Voice voice, double weight) {
    said.text.weight[static_cast<size_t>(voice)] = weight;
    said.text.since = kNow - 2h;
    return *this;
  }
  trust::ReferenceAnswer answer() const { return answer_of(*this, kNow); }
};

TEST(Likelihood, NothingIsKnownOfWhatNobodySaw) {
  const auto answer = Known().answer();
  EXPECT_FALSE(answer.known);
  EXPECT_EQ(answer.bulk + answer.spam + answer.outbreak, 0);
}

TEST(Likelihood, ManyDomainsMakeBulkAndNoSpam) {
  const auto answer = Known().from(12).answer();
  EXPECT_TRUE(answer.known);
  EXPECT_NEAR(answer.bulk, 0.75, 0.01);
  EXPECT_EQ(answer.spam, 0);
  EXPECT_EQ(answer.outbreak, 0);
  EXPECT_EQ(answer.domains, trust::Breadth::ten);
  EXPECT_EQ(answer.since, kNow - 1h);
}

TEST(Likelihood, SpamGrowsWithWeightAndOneGatewaysFiltersAreNotEnough) {
  EXPECT_LT(Known().say(Voice::filters, 1).answer().spam, 0.5);
  EXPECT_GE(Known().say(Voice::filters, 2).answer().spam, 0.5);
  EXPECT_GE(Known().say(Voice::user_spam, 1).answer().spam, 0.5) << "a person looked at it";
  EXPECT_GT(Known().say(Voice::filters, 20).answer().spam, 0.9);
}

TEST(Likelihood, WhoMissedTheMailOutweighsSeveralFilters) {
  EXPECT_EQ(Known().say(Voice::filters, 4).say(Voice::not_spam, 1).answer().spam, 0);
  EXPECT_LT(Known().say(Voice::filters, 8).say(Voice::not_spam, 1).answer().spam, 0.5);
}

TEST(Likelihood, ProgramsThatSpreadWhileTheyAreNewAreAnOutbreak) {
  Known program;
  program.has_program = true;
  program.witnessed(3, Likeness::attachment).witnessed(3, Likeness::text);
  EXPECT_EQ(program.answer().outbreak, 0);
  EXPECT_GE(program.from(5, Likeness::attachment).answer().outbreak, 0.5);
  EXPECT_GE(program.from(20, Likeness::attachment).answer().outbreak, 0.8);
  EXPECT_EQ(program.from(20, Likeness::attachment, kNow - 25h).answer().outbreak, 0) << "scanners know it by now";
  EXPECT_GE(program.from(20, Likeness::text).answer().outbreak, 0.8) << "another file in each copy";
  EXPECT_EQ(
      Known(program).say(Voice::not_spam, 0.5).from(20, Likeness::text).from(0, Likeness::attachment).answer().outbreak,
      0);
  Known document;
  EXPECT_EQ(document.from(200, Likeness::attachment).answer().outbreak, 0);
}

TEST(Likelihood, OnTwoGatewaysWordNoProgramIsSurelyAnOutbreak) {
  Known program;
  program.has_program = true;
  program.from(200, Likeness::attachment).witnessed(2, Likeness::attachment);
  EXPECT_GE(program.answer().outbreak, 0.5);
  EXPECT_LT(program.answer().outbreak, 0.8);
  EXPECT_GE(program.witnessed(3, Likeness::attachment).answer().outbreak, 0.8);
}

TEST(Likelihood, WhatIsKnownToBeMaliciousIsAnOutbreakHoweverRare) {
  EXPECT_GE(Known().say(Voice::malicious, 2).answer().outbreak, 0.8);
  EXPECT_LT(Known().say(Voice::malicious, 1).answer().outbreak, 0.8) << "on one reporter's word nothing is sure";
}

}  // namespace
}  // namespace doorward::centre
