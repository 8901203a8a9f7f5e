#include "gateway/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace doorward::gateway {
namespace {

using sheet::Class;
using sheet::Disposition;

// GTUBE-like certainty without depending on any filter's taste: a rule whose threshold decides alone.
class JudgeTest : public testing::Test {
 protected:
  JudgeTest() {
    settings_ = std::make_shared<policy::Settings>(*snapshot_->fallback());
    settings_->outcomes.fill(Disposition::deliver);
    settings_->outcomes[static_cast<size_t>(Class::spam)] = Disposition::refuse;
    rule_ = std::make_shared<policy::Rule>();
    rule_->name = "test";
    envelope_.id = "01JD0000000000000000000000";
  }
  sheet::GroupVerdict verdict(bool unfiltered = false, bool never_refused = false, const filter::Facts& facts = {}) {
    const auto message = mime::Message::parse("Subject: hello\r\n\r\nhello\r\n");
    Group group;
    group.settings = settings_;
    group.rule = rule_.get();
    group.unfiltered = unfiltered;
    group.never_refused = never_refused;
    const Judge judge(clock_, {});
    auto sheet = judge.judge({message, client_, envelope_, sheet::Direction::inbound, facts}, *snapshot_, {&group, 1});
    findings_ = sheet.findings.size();
    return sheet.groups.at(0);
  }

  ManualClock clock_{SystemTime(std::chrono::milliseconds(1'790'000'000'000))};
  std::shared_ptr<const policy::Snapshot> snapshot_ = policy::Snapshot::defaults();
  std::shared_ptr<policy::Settings> settings_;
  std::shared_ptr<policy::Rule> rule_;
  mail::Client client_;
  mail::Envelope envelope_;
  size_t findings_ = 0;
};

TEST_F(JudgeTest, ANeutralMailIsRefusedUnderANegativeThresholdOnly) {
  rule_->prices.clear();  // nothing is paid: SCL 0
  rule_->threshold = 0;
  EXPECT_EQ(verdict().klass, Class::clean);
  rule_->threshold = -1;
  const auto refused = verdict();
  EXPECT_EQ(refused.klass, Class::spam);
  EXPECT_EQ(refused.disposition, Disposition::refuse);
}

TEST_F(JudgeTest, PassRulesAndTheSecretSuffixRunNoFilter) {
  rule_->threshold = -1;
  EXPECT_EQ(verdict(true).disposition, Disposition::deliver);
  EXPECT_EQ(findings_, 0U);
  rule_->mode = policy::RuleMode::pass;
  EXPECT_EQ(verdict().disposition, Disposition::deliver);
  EXPECT_EQ(findings_, 0U);
  rule_->mode = policy::RuleMode::check;
  verdict();
  EXPECT_GT(findings_, 0U) << "the message lacks Date and Message-ID, which the structure filter says";
}

TEST_F(JudgeTest, NothingOutweighsAnOutbreak) {
  filter::Facts facts;
  facts.elsewhere.emplace();
  facts.elsewhere->known = true;
  facts.elsewhere->outbreak = 0.85;
  rule_->prices.emplace("fingerprint_service",
                        sheet::FilterPrice{.on = true, .weight = 6, .cap = sheet::Points::of(9)});
  rule_->threshold = 1000;  // as if trust, or anything else, spoke for it without bounds
  EXPECT_EQ(verdict(false, false, facts).klass, Class::virus);
  facts.elsewhere->outbreak = 0.7;
  EXPECT_EQ(verdict(false, false, facts).klass, Class::clean);
  facts.elsewhere->outbreak = 0.85;
  rule_->prices.find("fingerprint_service")->second.on = false;
  EXPECT_EQ(verdict(false, false, facts).klass, Class::clean) << "whoever does not want it";
}

TEST_F(JudgeTest, PostmasterIsNeverRefusedForContent) {
  rule_->threshold = -1;
  const auto kept = verdict(false, true);
  EXPECT_EQ(kept.klass, Class::spam);
  EXPECT_EQ(kept.disposition, Disposition::deliver);
}

TEST_F(JudgeTest, ObservedDomainsGetEverythingAndTheVerdictIsRecorded) {
  rule_->threshold = -1;
  settings_->operation = policy::Operation::observe;
  const auto seen = verdict();
  EXPECT_EQ(seen.klass, Class::spam);
  EXPECT_EQ(seen.disposition, Disposition::deliver);
  EXPECT_TRUE(seen.observed);
  EXPECT_EQ(seen.intended, Disposition::refuse) << "what the customer wants to know after observing";
}

TEST_F(JudgeTest, ABypassHoldsUntilItsEndOnly) {
  rule_->threshold = -1;
  settings_->operation = policy::Operation::bypass;
  settings_->bypass_until = clock_.now() + std::chrono::hours(1);
  EXPECT_EQ(verdict().disposition, Disposition::deliver);
  EXPECT_EQ(findings_, 0U);
  clock_.advance(std::chrono::hours(2));
  EXPECT_EQ(verdict().disposition, Disposition::refuse);
}

TEST_F(JudgeTest, GroupsArePricedEachByItsOwnRule) {
  const auto message = mime::Message::parse("Subject: hello\r\n\r\nhello\r\n");
  auto strict = std::make_shared<policy::Rule>(*rule_);
  strict->threshold = -1;
  std::vector<Group> groups(2);
  groups[0].settings = groups[1].settings = settings_;
  groups[0].rule = rule_.get();
  groups[1].rule = strict.get();
  const auto sheet =
      Judge(clock_, {}).judge({message, client_, envelope_, sheet::Direction::inbound, {}}, *snapshot_, groups);
  ASSERT_EQ(sheet.groups.size(), 2U);
  EXPECT_EQ(sheet.groups[0].klass, Class::clean);
  EXPECT_EQ(sheet.groups[1].klass, Class::spam);
}

}  // namespace
}  // namespace doorward::gateway
