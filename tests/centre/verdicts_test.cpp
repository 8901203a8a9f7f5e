#include "centre/verdicts.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "centre/verdicts_row.h"
#include "trust/varied_mail.h"

namespace doorward::centre {
namespace {

using namespace std::chrono_literals;
using trust::fingerprint_of_text;
using trust::text_of;

constexpr SystemTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 9h;

class VerdictsTest : public testing::Test {
 protected:
  void vote(Voice voice, uint64_t reporter, double weight = 1, SystemTime now = kNow, unsigned text = 1) {
    verdicts_->vote(fingerprint_of_text(text_of(text)), voice, reporter, weight, now);
  }
  Said text(SystemTime now = kNow, unsigned text = 1) {
    return verdicts_->look_up(fingerprint_of_text(text_of(text)), now).text;
  }
  std::unique_ptr<Verdicts> verdicts_ = std::move(*Verdicts::open({.entries = 1 << 14}));
};

TEST_F(VerdictsTest, WhatSeveralSayAddsUpByVoice) {
  EXPECT_FALSE(text().any());
  vote(Voice::filters, 1);
  vote(Voice::filters, 2, 0.5, kNow + 10min);
  vote(Voice::not_spam, 3, 0.25);
  EXPECT_DOUBLE_EQ(text().of(Voice::filters), 1.5);
  EXPECT_DOUBLE_EQ(text().of(Voice::not_spam), 0.25);
  EXPECT_DOUBLE_EQ(text().of(Voice::malicious), 0);
  EXPECT_NEAR(text().reporters, 2, 0.2);
  EXPECT_EQ(text().since, kNow);
  EXPECT_FALSE(text(kNow, 2).any()) << "another text";
}

TEST_F(VerdictsTest, NearDuplicatesShareWhatWasSaid) {
  vote(Voice::user_spam, 1);
  const auto near = fingerprint_of_text("Dear Anna,\r\n" + text_of(1));
  EXPECT_DOUBLE_EQ(verdicts_->look_up(near, kNow).text.of(Voice::user_spam), 1);
}

TEST_F(VerdictsTest, AReporterCountsOnceADayHoweverHeVariesTheText) {
  for (int variant = 0; variant < 50; ++variant) {
    const auto print = fingerprint_of_text("Variant " + std::to_string(variant) + " of a kind\r\n" + text_of(1));
    verdicts_->vote(print, Voice::filters, 7, 1, kNow);
  }
  EXPECT_DOUBLE_EQ(text().of(Voice::filters), 1);
  vote(Voice::filters, 7, 1, kNow + 24h);
  EXPECT_DOUBLE_EQ(text(kNow + 24h).of(Voice::filters), 1.5) << "yesterday's weighs half";
}

TEST_F(VerdictsTest, WhatNobodyRepeatsFades) {
  for (uint64_t reporter = 1; reporter < 5; ++reporter) vote(Voice::filters, reporter);
  const double first = text().of(Voice::filters);
  EXPECT_GE(first, 3);
  EXPECT_DOUBLE_EQ(text(kNow + 24h).of(Voice::filters), first / 2);
  EXPECT_GT(text(kNow + 24h).reporters, 2) << "who spoke yesterday";
  EXPECT_DOUBLE_EQ(text(kNow + 48h).of(Voice::filters), first / 4);
  EXPECT_FALSE(text(kNow + 24h * 20).any());
  EXPECT_TRUE(text(kNow - 48h).any()) << "a clock that went back is no reason to forget";
}

TEST_F(VerdictsTest, WithoutWeightNothingIsSaid) {
  vote(Voice::filters, 1, 0);
  vote(Voice::filters, 1, -5);
  EXPECT_FALSE(text().any());
  vote(Voice::filters, 1, 99);
  EXPECT_DOUBLE_EQ(text().of(Voice::filters), 1) << "more than one is nobody's weight";
}

TEST_F(VerdictsTest, AttachmentsAreKnownByThemselves) {
  trust::Fingerprint print{};
  print.attachments = 2;
  print.attachment_digests = {11, 22};
  verdicts_->vote(print, Voice::malicious, 1, 1, kNow);
  trust::Fingerprint other{};
  other.attachments = 1;
  other.attachment_digests = {22};
  EXPECT_DOUBLE_EQ(verdicts_->look_up(other, kNow).attachment.of(Voice::malicious), 1);
  EXPECT_FALSE(verdicts_->look_up(other, kNow).text.any());
}

TEST_F(VerdictsTest, WhatWasSaidSurvivesARestart) {
  const auto place = std::filesystem::path(testing::TempDir()) / ("verdicts." + std::to_string(::getpid()));
  verdicts_ = std::move(*Verdicts::open({.entries = 1 << 14, .directory = place}));
  vote(Voice::malicious, 1);
  ASSERT_TRUE(verdicts_->flush());
  verdicts_.reset();
  verdicts_ = std::move(*Verdicts::open({.entries = 1 << 14, .directory = place}));
  EXPECT_DOUBLE_EQ(text().of(Voice::malicious), 1);
  verdicts_.reset();
  std::filesystem::remove_all(place);
}

TEST(VerdictsRow, KeepsWhatItHolds) {
  const VerdictsRow row{.tag = uint64_t{5} << trust::KeptTable::kTagShift,
                        .day = 12'345,
                        .minute = 3'500'000,
                        .today = {1, 0x8000, 3, 4},
                        .weight = {0xFFFF, 2, 3, 0x8001}};
  const auto back = VerdictsRow::of(row.cells());
  EXPECT_EQ(back.tag, row.tag);
  EXPECT_EQ(back.day, row.day);
  EXPECT_EQ(back.minute, row.minute);
  EXPECT_EQ(back.today, row.today);
  EXPECT_EQ(back.weight, row.weight);
}

}  // namespace
}  // namespace doorward::centre
