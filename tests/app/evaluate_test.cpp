#include "app/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace doorward::app {
namespace {

namespace fs = std::filesystem;

Accuracy of(std::vector<Judged> judged, double threshold = 0.5) { return accuracy_of(judged, threshold); }

TEST(Accuracy, OfAPerfectOrderIsOne) {
  const auto accuracy = of({{false, 0.1}, {false, 0.2}, {true, 0.8}, {true, 0.9}});
  EXPECT_DOUBLE_EQ(accuracy.roc_area, 1);
  EXPECT_DOUBLE_EQ(accuracy.caught, 1);
  EXPECT_DOUBLE_EQ(accuracy.caught_at_0_1, 1);
  EXPECT_DOUBLE_EQ(accuracy.threshold_0_1, 0.8);
  EXPECT_DOUBLE_EQ(accuracy.false_positives, 0);
}

TEST(Accuracy, OfAReversedOrderIsZero) {
  EXPECT_DOUBLE_EQ(of({{true, 0.1}, {true, 0.2}, {false, 0.8}, {false, 0.9}}).roc_area, 0);
}

TEST(Accuracy, TiesCountHalf) {
  EXPECT_DOUBLE_EQ(of({{true, 0.5}, {false, 0.5}}).roc_area, 0.5);
  EXPECT_DOUBLE_EQ(of({{true, 1}, {true, 0.5}, {false, 0.5}, {false, 0}}).roc_area, 0.875);
  // Four pairs: two won, one tied, one lost.
  EXPECT_DOUBLE_EQ(of({{true, 3}, {true, 1}, {false, 2}, {false, 1}}).roc_area, 2.5 / 4);
}

TEST(Accuracy, ThresholdsNeverPartEqualScores) {
  // The two spams at 0.9 share their score with a ham, and no false positive is allowed.
  const auto accuracy = of({{true, 0.95}, {true, 0.9}, {true, 0.9}, {false, 0.9}, {false, 0.1}});
  EXPECT_DOUBLE_EQ(accuracy.caught_at_0_1, 1.0 / 3);
  EXPECT_DOUBLE_EQ(accuracy.threshold_0_1, 0.95);
  EXPECT_DOUBLE_EQ(accuracy.false_positives, 0.5);
}

TEST(Accuracy, AllowsOneFalsePositiveInAThousand) {
  std::vector<Judged> judged = {{true, 10}, {false, 9}, {true, 8}, {false, 7}, {true, 6}};
  for (int number = 0; number < 998; ++number) judged.push_back({false, static_cast<double>(-number)});
  EXPECT_DOUBLE_EQ(of(judged).caught_at_0_1, 2.0 / 3);
  judged.pop_back();  // 999 good mails: none is allowed
  EXPECT_DOUBLE_EQ(of(judged).caught_at_0_1, 1.0 / 3);
}

TEST(Accuracy, OfOneKindAloneHasNoArea) {
  EXPECT_DOUBLE_EQ(of({{true, 1}, {true, 2}}).roc_area, 0);
  EXPECT_DOUBLE_EQ(of({}).roc_area, 0);
  EXPECT_TRUE(std::isinf(of({}).threshold_0_1));
}

class Evaluate : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "doorward-evaluate-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    fs::create_directories(folder_ / "mails");
    std::ofstream index(folder_ / "index");
    for (int number = 0; number < 60; ++number) {
      const bool spam = number % 2 == 1;
      const std::string path = "mails/" + std::to_string(number) + ".eml";
      std::ofstream(folder_ / path) << "From: a@example.org\nSubject: n" << number << "\n\n"
                                    << (spam ? "winner of the lottery million prize " : "minutes of the board meeting ")
                                    << number << "\n";
      index << (spam ? "spam " : "ham ") << path << '\n';
    }
    options_.index_file = (folder_ / "index").string();
    statistics_ = std::move(*trust::WordStatistics::open({.table_entries = 1 << 16}));
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_;
  EvaluateOptions options_;
  std::unique_ptr<trust::WordStatistics> statistics_;
};

TEST_F(Evaluate, LearnsOnlyOnlineAndAfterTheVerdict) {
  options_.scores_file = (folder_ / "scores").string();
  auto still = run_evaluate(options_, *statistics_, {});
  ASSERT_TRUE(still);
  EXPECT_DOUBLE_EQ(still->accuracy.roc_area, 0.5);  // nothing known, all the same
  options_.online = true;
  auto online = run_evaluate(options_, *statistics_, {});
  ASSERT_TRUE(online);
  EXPECT_GT(online->accuracy.roc_area, 0.9);
  EXPECT_EQ(online->accuracy.ham, 30u);
  EXPECT_EQ(online->accuracy.spam, 30u);
  std::ifstream scores(options_.scores_file);
  std::string first;
  ASSERT_TRUE(std::getline(scores, first));
  EXPECT_EQ(first, "ham 0.5 mails/0.eml");
}

TEST_F(Evaluate, IsTheSameEveryTime) {
  options_.online = true;
  const auto one = run_evaluate(options_, *statistics_, {});
  const auto fresh = std::move(*trust::WordStatistics::open({.table_entries = 1 << 16}));
  const auto other = run_evaluate(options_, *fresh, {});
  ASSERT_TRUE(one && other);
  EXPECT_EQ(one->accuracy.roc_area, other->accuracy.roc_area);
  EXPECT_EQ(one->accuracy.threshold_0_1, other->accuracy.threshold_0_1);
}

TEST_F(Evaluate, MeasuresPointsThatAreHandedIn) {
  options_.score = EvaluateScore::points;
  const auto evaluation = run_evaluate(options_, *statistics_, [](std::string_view raw) -> Result<double> {
    return raw.find("lottery") == std::string_view::npos ? -1.5 : 7.25;
  });
  ASSERT_TRUE(evaluation);
  EXPECT_DOUBLE_EQ(evaluation->accuracy.roc_area, 1);
  EXPECT_DOUBLE_EQ(evaluation->accuracy.threshold_0_1, 7.25);
  EXPECT_FALSE(run_evaluate(options_, *statistics_, {}));
}

TEST_F(Evaluate, CountsWhatCannotBeReadAndRefusesABadIndex) {
  std::ofstream(options_.index_file, std::ios::app) << "ham mails/none.eml\n";
  const auto evaluation = run_evaluate(options_, *statistics_, {});
  ASSERT_TRUE(evaluation);
  EXPECT_EQ(evaluation->unreadable, 1u);
  std::ofstream(options_.index_file, std::ios::app) << "junk mails/0.eml\n";
  const auto refused = run_evaluate(options_, *statistics_, {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("index:62"), std::string::npos) << refused.error().text();
}

}  // namespace
}  // namespace doorward::app
