#include "filter/word_statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "filter/case.h"
#include "trust/word_statistics.h"

namespace doorward::filter {
namespace {

constexpr const char* kGood =
    "From: a@example.org\nSubject: minutes\n\nThe minutes of our meeting, with the schedule\n";
constexpr const char* kBad =
    "From: b@example.net\nSubject: WINNER\n\nYour lottery prize of a million waits, claim now\n";

class WordStatisticsFilter : public testing::Test {
 protected:
  void learn(const std::string& mail, trust::Label label, int times, uint64_t customer = 0) {
    const std::string raw = TestMail::with_crlf(mail);
    for (int time = 0; time < times; ++time) {
      const std::string one = raw + "word" + std::to_string(time) + "\r\n";
      statistics_->learn(trust::features_of(mime::Message::parse(one)), customer, label);
    }
  }
  sheet::Findings judged(const std::string& mail, std::vector<uint64_t> customers = {}) {
    TestMail test(mail);
    const auto features = trust::features_of(test.message);
    test.input.statistics = statistics_.get();
    test.input.features = &features;
    test.input.customers = std::move(customers);
    auto findings = test.judged_by(word_statistics());
    EXPECT_TRUE(test.unknown.empty());
    return findings;
  }
  std::unique_ptr<trust::WordStatistics> statistics_ =
      std::move(*trust::WordStatistics::open({.table_entries = 1 << 18}));
};

TEST_F(WordStatisticsFilter, SaysNothingWithoutStatistics) {
  EXPECT_TRUE(TestMail(kBad).judged_by(word_statistics()).empty());
}

TEST_F(WordStatisticsFilter, SaysNothingWhereTooLittleWasLearnt) {
  learn(kBad, trust::Label::spam, 15);
  learn(kGood, trust::Label::ham, 15);
  EXPECT_TRUE(judged(kBad).empty());
}

TEST_F(WordStatisticsFilter, SpeaksForAndAgainst) {
  learn(kBad, trust::Label::spam, 40);
  learn(kGood, trust::Label::ham, 40);
  const auto bad = judged(kBad), good = judged(kGood);
  ASSERT_EQ(bad.size(), 1u);
  EXPECT_EQ(bad[0].symbol, "words_spam");
  EXPECT_EQ(bad[0].owner, 0u);
  EXPECT_LE(bad[0].strength, 1.0);
  // Near certainty alone reaches more than 4 points, and never more than the cap.
  EXPECT_GT(bad[0].strength * word_statistics().info().default_weight, 4.0);
  EXPECT_LE(word_statistics().info().highest * word_statistics().info().default_weight,
            word_statistics().info().default_cap);
  EXPECT_NE(bad[0].evidence.find("spam probability"), std::string::npos);
  EXPECT_NE(bad[0].evidence.find("ham 0"), std::string::npos) << bad[0].evidence;
  EXPECT_LT(bad[0].evidence.size(), 500u);
  ASSERT_EQ(good.size(), 1u);
  EXPECT_EQ(good[0].symbol, "words_ham");
  EXPECT_LT(good[0].strength, -0.7);
}

TEST_F(WordStatisticsFilter, ACustomersFindingIsTheDifferenceToTheCommonOne) {
  learn(kBad, trust::Label::spam, 60);
  learn(kGood, trust::Label::ham, 60);
  learn(kBad, trust::Label::ham, 60, 7);
  learn(kGood, trust::Label::spam, 60, 7);
  learn(kBad, trust::Label::spam, 60);
  learn(kGood, trust::Label::ham, 60);
  const auto findings = judged(kBad, {7, 8});
  double common = 0, own = 0;
  for (const auto& finding : findings) {
    EXPECT_NE(finding.owner, 8u);  // it has learnt nothing
    (finding.owner == 0 ? common : own) += finding.strength;
  }
  const auto opinion = statistics_->judge(trust::features_of(TestMail(kBad).message), 7);
  EXPECT_LT(own, -0.05);
  EXPECT_EQ(common + own > 0, opinion.log_odds > 0);
  EXPECT_LE(std::abs(common + own), 1.0);
  EXPECT_LT(common + own, common);
}

}  // namespace
}  // namespace doorward::filter
