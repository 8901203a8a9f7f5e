#include "centre/reporters.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace doorward::centre {
namespace {

using namespace std::chrono_literals;

constexpr SystemTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 9h;

class ReportersTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove(path_); }
  void TearDown() override {
    for (const auto* end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
  }
  std::unique_ptr<Reporters> open() {
    return std::move(*Reporters::open(path_, {.questions_a_second = 10, .reports_a_second = 2}));
  }

  std::string path_ = std::filesystem::path(testing::TempDir()) / ("reporters." + std::to_string(::getpid()));
  SteadyTime steady_ = std::chrono::steady_clock::now();
};

TEST_F(ReportersTest, WhoIsEnrolledIsKnownByHisTokenAndNobodyElse) {
  const auto reporters = open();
  const auto token = reporters->enrol("mx.example", false, kNow);
  ASSERT_TRUE(token) << token.error().text();
  const auto found = reporters->find(*token, steady_);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->name(), "mx.example");
  EXPECT_EQ(reporters->find("", steady_), nullptr);
  EXPECT_EQ(reporters->find(*token + "x", steady_), nullptr);
  EXPECT_FALSE(reporters->enrol("mx.example", true, kNow)) << "twice";
  for (const auto* name : {"", "two words", "a\"b", "a\nb"}) EXPECT_FALSE(reporters->enrol(name, false, kNow)) << name;
}

TEST_F(ReportersTest, TokensAreNotStored) {
  const auto token = *open()->enrol("mx.example", false, kNow);
  auto database = std::move(*store::Database::open(path_));
  auto select = *database->prepare("SELECT token_hash FROM reporters");
  ASSERT_TRUE(*select.step());
  EXPECT_EQ(select.text(0).size(), 43u);
  EXPECT_NE(select.text(0), token);
}

TEST_F(ReportersTest, ARunningCentreTakesNoticeOfWhatAnotherProcessDoes) {
  const auto running = open(), operators = open();
  const auto token = *operators->enrol("mx.example", false, kNow);
  const auto found = running->find(token, steady_);
  ASSERT_NE(found, nullptr) << "who is new is looked for";
  EXPECT_EQ(found->with_record([](TrackRecord& record) { return record.weight(); }), 0);
  ASSERT_TRUE(operators->trust("mx.example", true));
  ASSERT_TRUE(running->refresh());
  EXPECT_EQ(found->with_record([](TrackRecord& record) { return record.weight(); }), 1);
  ASSERT_TRUE(operators->revoke("mx.example"));
  ASSERT_TRUE(running->refresh());
  EXPECT_EQ(running->find(token, steady_ + 10s), nullptr);
  EXPECT_FALSE(operators->revoke("mx.example")) << "nobody of that name any more";
  EXPECT_FALSE(operators->trust("mx.example", true));
}

TEST_F(ReportersTest, StrangersMakeOneLookIntoTheDatabaseASecond) {
  const auto running = open(), operators = open();
  EXPECT_EQ(running->find("stranger", steady_), nullptr);
  const auto token = *operators->enrol("mx.example", false, kNow);
  EXPECT_EQ(running->find(token, steady_ + 500ms), nullptr);
  EXPECT_NE(running->find(token, steady_ + 1100ms), nullptr);
}

TEST_F(ReportersTest, TrackRecordsSurviveARestart) {
  std::string token;
  {
    const auto reporters = open();
    token = *reporters->enrol("mx.example", false, kNow);
    const auto reporter = reporters->find(token, steady_);
    reporter->with_record([](TrackRecord& record) {
      for (int claim = 0; claim < 20; ++claim) record.proven(TrackRecord::Proof::confirmed);
      record.proven(TrackRecord::Proof::contested);
    });
    EXPECT_TRUE(reporter->may_ask(1, steady_));
    ASSERT_TRUE(reporters->save(kNow + 1h));
  }
  const auto entries = *open()->list();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].confirmed, 20);
  EXPECT_EQ(entries[0].contested, 1);
  EXPECT_EQ(entries[0].enrolled, kNow);
  EXPECT_EQ(entries[0].heard, kNow + 1h);
}

TEST_F(ReportersTest, NobodyAsksOrReportsMoreThanHeMay) {
  const auto reporters = open();
  const auto reporter = reporters->find(*reporters->enrol("mx.example", true, kNow), steady_);
  EXPECT_TRUE(reporter->may_ask(100, steady_));
  EXPECT_FALSE(reporter->may_ask(1, steady_));
  EXPECT_TRUE(reporter->may_ask(10, steady_ + 1s));
  EXPECT_FALSE(reporter->may_ask(1, steady_ + 1s));
  EXPECT_TRUE(reporter->may_report(20, steady_)) << "reports are counted by themselves";
  EXPECT_FALSE(reporter->may_report(1, steady_));
}

}  // namespace
}  // namespace doorward::centre
