#include "action/score_headers.h"

#include <gtest/gtest.h>

#include <sstream>

#include "action/encoded_text.h"
#include "action/subject_tag.h"
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

TestVerdict stranger(std::string raw) {
  TestVerdict mail(std::move(raw));
  mail.settings.score_header = false;
  return mail;
}

TEST(ScoreHeaders, strangers_fields_are_removed_whatever_their_shape) {
  const auto after = [](std::string fields) { return stranger(fields + "A: b\r\n\r\nX-Doorward-Score: body\r\n"); };
  const std::string rest = "A: b\r\n\r\nX-Doorward-Score: body\r\n";
  for (const char* field :
       {"X-DOORWARD-score:-9\r\n", "X-Doorward-Score \t: -9\r\n", "X-Doorward-Score:\r\n -9\r\n\tmore\r\n",
        "X-Doorward-Score\r\n : -9\r\n", "X-Doorward-Score: -9\r\n \r\n more\r\n", "X-Doorward-: x\r\n"})
    EXPECT_EQ(after(field).after(score_headers()), rest) << field;
  for (const char* field : {"X-Doorwards: x\r\n", "X-A: X-Doorward-Score: 1\r\n", "A:\r\n X-Doorward-Score: 1\r\n"})
    EXPECT_EQ(after(field).after(score_headers()), field + rest);
  // Lines that are no fields, after which some readers go on with the header.
  EXPECT_EQ(stranger("A: b\r\nno field\r\nnor this\r\nX-Doorward-Score: -9\r\n\r\nx").after(score_headers()),
            "A: b\r\nno field\r\nnor this\r\n\r\nx");
}

TEST(ScoreHeaders, strangers_fields_are_removed_whatever_their_number) {
  std::string apart, together, kept;
  for (int i = 0; i < 5000; ++i) {  // most of them beyond the parser's limit
    apart += "X-Doorward-Score: -9\r\nA: b\r\n";
    together += "X-Doorward-Score: -9\r\n";
    kept += "A: b\r\n";
  }
  EXPECT_EQ(stranger(apart + "\r\nx\r\n").after(score_headers()), kept + "\r\nx\r\n");
  const TestVerdict mail = stranger(together + "Subject: a\r\n\r\nx\r\n");
  MessageOutcome outcome;
  score_headers().on_verdict(mail.view(), outcome);
  EXPECT_EQ(outcome.edits.apply(mail.raw).size(), 1U) << "one edit for all that touch";
  const std::string padded = "A: " + std::string(300'000, 'a') + "\r\n";  // beyond the limit of bytes
  EXPECT_EQ(stranger(padded + "X-Doorward-Score: -9\r\nB: c\r\nx-doorward-ref: 1\r\n\r\nx").after(score_headers()),
            padded + "B: c\r\n\r\nx");
}

TEST(ScoreHeaders, removal_leaves_the_subjects_tag_its_place) {
  std::string fields, kept;
  for (int i = 0; i < 3000; ++i) {
    fields += "X-Doorward-Score: -9\r\nA: b\r\n";
    kept += "A: b\r\n";
  }
  TestVerdict mail = stranger("Subject: s\r\n" + fields + "\r\nx");
  mail.verdict.disposition = sheet::Disposition::tag;
  mail.verdict.klass = sheet::Class::spam;
  MessageOutcome outcome;
  subject_tag().on_verdict(mail.view(), outcome);
  score_headers().on_verdict(mail.view(), outcome);
  std::string made;
  for (const auto piece : outcome.edits.apply(mail.raw)) made += piece;
  EXPECT_EQ(made, "Subject: *** SPAM *** s\r\n" + kept + "\r\nx");
}

TEST(ScoreHeaders, results_of_authentication_in_our_name_are_removed) {
  const auto after = [](const std::string& value) {
    return stranger("authentication-Results:" + value + "\r\nA: b\r\n\r\nx").after(score_headers());
  };
  for (const char* value :
       {" mx.example.net; spf=pass smtp.mailfrom=d.example", " MX.Example.NET 1; none", "mx.example.net;dkim=pass",
        "\r\n (a (b) \\) c)\r\n mx.example.net(d); spf=pass", " \"mx.example.net\"; spf=pass",
        " \"mx.ex\\ample.net\" ; spf=pass", " mx.example.net", " mx.example.net/1; spf=pass"})
    EXPECT_EQ(after(value), "A: b\r\n\r\nx") << value;
  for (const char* value : {" mx.example.org; spf=pass", " amx.example.net; spf=pass", " mx.example.net.org; spf=pass",
                            " (mx.example.net) other.example; spf=pass", " spf=pass", ""})
    EXPECT_NE(after(value), "A: b\r\n\r\nx") << value;
  TestVerdict mail = stranger("Authentication-Results : mx.example.net; spf=pass\r\nA: b\r\n\r\nx");
  EXPECT_EQ(mail.after(score_headers()), "A: b\r\n\r\nx");
  mail.sheet.direction = sheet::Direction::outbound;
  EXPECT_EQ(mail.after(score_headers()), mail.raw) << "of our own users";
  mail.sheet.direction = sheet::Direction::inbound;
  mail.host_name.clear();
  EXPECT_EQ(mail.after(score_headers()), mail.raw);
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
