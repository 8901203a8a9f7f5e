#include "gateway/exchange.h"

#include <gtest/gtest.h>

#include <chrono>

#include "filter/level_of_trust.h"

namespace doorward::gateway {
namespace {

using namespace std::chrono_literals;

constexpr SystemTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 9h + 12min;
constexpr uint64_t kUs = 7;

class Exchange : public testing::Test {
 protected:
  Exchange() {
    settings_->customer = kUs;
    settings_->trust_stop_words = {"out of office"};
    rule_->threshold = 4;
    group_.settings = settings_;
    group_.rule = rule_.get();
    group_.addresses = {"bob@in.example"};
    verdict_.threshold = 4;
    verdict_.reply_code = 250;
    auto& signature = facts_.authentication.emplace().dkim.signatures.emplace_back();
    signature.result = mailauth::Result::pass;
    signature.domain = "partner.example";
  }
  // A mail of ann's to bob, or of bob's to ann, after its answer. The level of ann afterwards.
  double after(sheet::Direction direction, const std::string& fields = "") {
    const bool in = direction == sheet::Direction::inbound;
    const std::string author = in ? "ann@partner.example" : "bob@in.example";
    const std::string raw = "From: " + author + "\r\n" + fields + "\r\nText\r\n";
    const auto message = mime::Message::parse(raw);
    mail::Client client;
    mail::Envelope envelope;
    envelope.from.null = false;
    envelope.from.mailbox = *mail::parse_mailbox(author);
    if (!in) envelope.recipients.push_back({*mail::parse_mailbox("ann@partner.example")});
    sheet::ScoreSheet sheet;
    sheet.direction = direction;
    sheet.findings = findings_;
    sheet.groups.push_back(verdict_);
    sheet.groups[0].priced.points.resize(findings_.size());
    for (size_t i = 0; i < findings_.size(); ++i) {
      sheet.groups[0].priced.points[i] = sheet::Points::of(10 * findings_[i].strength);
      sheet.groups[0].priced.counted.push_back(true);
    }
    {
      Learner learner({.correspondence = memory_.get()});
      note_exchange(learner, {message, client, envelope, direction, facts_}, std::span(&group_, 1), sheet, kNow);
    }
    const auto ann = filter::correspondent("ann@partner.example");
    return memory_->look_up({.customer = kUs, .recipients = group_.addresses, .sender = ann, .subject = {}}, kNow)
        .pair.level;
  }

  std::unique_ptr<trust::Correspondence> memory_ = std::move(*trust::Correspondence::open({.entries = 1024}));
  std::shared_ptr<policy::Settings> settings_ = std::make_shared<policy::Settings>();
  std::shared_ptr<policy::Rule> rule_ = std::make_shared<policy::Rule>();
  Group group_;
  sheet::GroupVerdict verdict_;
  sheet::Findings findings_;
  filter::Facts facts_;
};

TEST_F(Exchange, what_our_user_sends_builds_trust) { EXPECT_GE(after(sheet::Direction::outbound), 40); }

TEST_F(Exchange, what_is_not_clean_or_not_taken_builds_none) {
  verdict_.klass = sheet::Class::spam;
  EXPECT_EQ(after(sheet::Direction::outbound), 0);
  verdict_.klass = sheet::Class::clean;
  verdict_.reply_code = 451;
  EXPECT_EQ(after(sheet::Direction::outbound), 0);
  EXPECT_EQ(after(sheet::Direction::inbound), 0) << "it comes again";
}

TEST_F(Exchange, what_is_automatic_builds_none) {
  EXPECT_EQ(after(sheet::Direction::outbound, "Auto-Submitted: auto-replied\r\n"), 0);
  EXPECT_EQ(after(sheet::Direction::outbound, "Subject: Out of Office until Monday\r\n"), 0);
  EXPECT_EQ(after(sheet::Direction::inbound, "List-Id: <l.partner.example>\r\n"), 0);
  EXPECT_EQ(after(sheet::Direction::inbound, "Auto-Submitted: auto-generated\r\n"), 0);
}

TEST_F(Exchange, what_comes_in_builds_some_or_takes_some) {
  EXPECT_NEAR(after(sheet::Direction::inbound), 1, 0.1);
  verdict_.klass = sheet::Class::spam;
  EXPECT_LT(after(sheet::Direction::inbound), 0);
}

TEST_F(Exchange, forged_spam_costs_nobody_his_trust) {
  after(sheet::Direction::outbound);
  facts_.authentication->dkim.signatures[0].domain = "stranger.example";
  verdict_.klass = sheet::Class::spam;
  EXPECT_GE(after(sheet::Direction::inbound), 40);
}

TEST_F(Exchange, what_trust_alone_let_in_builds_none) {
  findings_ = {{.filter = "word_list", .symbol = "word", .strength = 0.9},
               {.filter = "level_of_trust", .symbol = "pair_trusted", .strength = -0.8}};
  verdict_.priced.total = sheet::Points::of(1);
  EXPECT_EQ(after(sheet::Direction::inbound), 0);
}

TEST_F(Exchange, rules_that_let_all_pass_say_nothing) {
  rule_->mode = policy::RuleMode::pass;
  EXPECT_EQ(after(sheet::Direction::inbound), 0);
}

}  // namespace
}  // namespace doorward::gateway
