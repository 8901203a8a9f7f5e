#include "action/score_headers.h"

#include <gtest/gtest.h>

#include <sstream>

#include "action/encoded_text.h"
#include "action/verdicted.h"

namespace doorward::action {
namespace {

using sheet::Points;

TestVerdict judged(std::string raw) {
  TestVerdict mail(std::move(raw));
  mail.sheet.findings = {{.filter = "structure", .symbol = "html_only"},
                         {.filter = "word_list", .symbol = "word_hit"},
                         {.filter = "structure", .symbol = "to_missing"}};
  mail.verdict.priced.points = {Points::of(0.3), Points::of(5), Points()};
  mail.verdict.priced.total = Points::of(5.3);
  mail.verdict.priced.scl = sheet::Scl(5);
  mail.verdict.threshold = 4;
  mail.verdict.klass = sheet::Class::spam;
  return mail;
}

TEST(ScoreHeaders, tell_score_and_reference) {
  const TestVerdict mail = judged("Subject: a\r\n\r\nx\r\n");
  EXPECT_EQ(mail.after(score_headers()),
            "X-Doorward-Score: 5.3 scl=5 threshold=4 class=spam word_list:word_hit=5\r\n structure:html_only=0.3\r\n"
            "X-Doorward-Ref: 01JABCDEFGHJKMNPQRSTVWXYZ0\r\nSubject: a\r\n\r\nx\r\n");
}

TEST(ScoreHeaders, spam_fields_where_asked_for) {
  TestVerdict mail = judged("X-Spam-Flag: NO\r\nx-spam-level: *\r\nSubject: a\r\n\r\nX-Spam-Flag: body\r\n");
  mail.settings.score_header = false;
  EXPECT_EQ(mail.after(score_headers()), mail.raw) << "others' fields stay where we write none";
  mail.settings.spam_headers = true;
  EXPECT_EQ(
      mail.after(score_headers()),
      "X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=5.3 required=5.0\r\nSubject: a\r\n\r\nX-Spam-Flag: body\r\n");
  mail.verdict.klass = sheet::Class::clean;
  EXPECT_NE(mail.after(score_headers()).find("X-Spam-Flag: NO\r\nX-Spam-Status: No,"), std::string::npos);
}

TEST(ScoreHeaders, strangers_fields_of_our_name_are_removed) {
  TestVerdict mail = judged("X-Doorward-Score: -9\r\n forged\r\nSubject: a\r\nx-doorward-ref: 1\r\n\r\nx\r\n");
  mail.settings.score_header = false;
  EXPECT_EQ(mail.after(score_headers()), "Subject: a\r\n\r\nx\r\n");
  mail.settings.score_header = true;
  mail.sheet.direction = sheet::Direction::outbound;
  EXPECT_EQ(mail.after(score_headers()), "Subject: a\r\n\r\nx\r\n") << "outbound mail gets none";
}

TEST(ScoreHeaders, are_bounded_and_folded) {
  TestVerdict mail = judged("Subject: a\r\n\r\nx\r\n");
  for (int i = 0; i < 500; ++i) {
    mail.sheet.findings.push_back({.filter = "structure", .symbol = "date_zone_impossible"});
    mail.verdict.priced.points.push_back(Points::of(1));
  }
  const std::string made = mail.after(score_headers());
  EXPECT_LT(made.size(), 1000U);
  std::istringstream lines(made);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 79U) << line;
}

TEST(EncodedText, words_are_short_and_whole) {
  EXPECT_EQ(encoded_text("plain"), "plain");
  EXPECT_EQ(encoded_text("a\r\nb\x01"), "ab");
  EXPECT_EQ(encoded_text("ü"), "=?UTF-8?B?w7w=?=");
  EXPECT_EQ(encoded_text("=?x"), "=?UTF-8?B?PT94?=") << "what looks encoded is encoded";
  std::istringstream words(encoded_text(std::string(150, 'x') + "üüüüüüüüüüüüüüü"));
  for (std::string word; words >> word;) EXPECT_LE(word.size(), 75U);
}

}  // namespace
}  // namespace doorward::action
