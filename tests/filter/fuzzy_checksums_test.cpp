#include "filter/fuzzy_checksums.h"

#include <gtest/gtest.h>

#include <chrono>

#include "filter/case.h"

namespace doorward::filter {
namespace {

using namespace std::chrono_literals;

constexpr SystemTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 9h + 12min;

std::string text() {
  std::string made;
  for (int word = 0; word < 80; ++word) {
    made += std::string("w") + static_cast<char>('a' + word % 26) + static_cast<char>('a' + word / 3) + "x ";
  }
  return made + "\n";
}

std::string mail_of(const std::string& fields = "") {
  return "From: b@example.net\nSubject: offer\n" + fields + "\n" + text();
}

Facts signed_by(std::string_view domain) {
  Facts facts;
  auto& signature = facts.authentication.emplace().dkim.signatures.emplace_back();
  signature.result = mailauth::Result::pass;
  signature.domain = domain;
  return facts;
}

class FuzzyChecksums : public testing::Test {
 protected:
  void seen_from(unsigned domains, const std::string& mail = mail_of()) {
    const TestMail test(mail);
    for (unsigned number = 0; number < domains; ++number) {
      sightings_->count(trust::fingerprint_of(test.message),
                        trust::Sender::of_domain("d" + std::to_string(number) + ".example"), kNow);
    }
  }
  sheet::Findings judged(TestMail& test, std::string_view authenticated = "") {
    const auto print = trust::fingerprint_of(test.message);
    test.input.sightings = sightings_.get();
    test.input.fingerprint = &print;
    test.now = kNow + 2h;
    if (!authenticated.empty()) test.facts = signed_by(authenticated);
    auto findings = test.judged_by(fuzzy_checksums());
    EXPECT_TRUE(test.unknown.empty());
    return findings;
  }
  sheet::Findings judged(const std::string& mail, std::string_view authenticated = "") {
    TestMail test(mail);
    return judged(test, authenticated);
  }
  std::unique_ptr<trust::Sightings> sightings_ = std::move(*trust::Sightings::open({.entries = 1 << 14}));
};

TEST_F(FuzzyChecksums, SaysNothingWithoutSightings) {
  EXPECT_TRUE(TestMail(mail_of()).judged_by(fuzzy_checksums()).empty());
}

TEST_F(FuzzyChecksums, TheSameTextFromOtherDomainsIsAFinding) {
  seen_from(2);
  EXPECT_TRUE(judged(mail_of()).empty());
  seen_from(14);
  const auto findings = judged(mail_of());
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].symbol, "text_seen_elsewhere");
  EXPECT_EQ(findings[0].owner, 0u);
  EXPECT_TRUE(findings[0].evidence.starts_with("the same text came from 1")) << findings[0].evidence;
  EXPECT_TRUE(findings[0].evidence.ends_with(" other domains since 09:12 UTC")) << findings[0].evidence;
}

TEST_F(FuzzyChecksums, StrengthGrowsWithEachDoublingUpToItsBound) {
  double before = 0;
  for (const unsigned domains : {4u, 9u, 20u, 45u}) {
    seen_from(domains);
    const auto findings = judged(mail_of());
    ASSERT_EQ(findings.size(), 1u);
    EXPECT_GT(findings[0].strength, before + 0.08);
    before = findings[0].strength;
  }
  seen_from(2000);
  const auto findings = judged(mail_of());
  EXPECT_EQ(findings[0].strength, 1);
  EXPECT_NE(findings[0].evidence.find("more than 250"), std::string::npos);
}

TEST_F(FuzzyChecksums, AnAnswerAndProvenBulkNeedMore) {
  seen_from(4);
  EXPECT_EQ(judged(mail_of()).size(), 1u);
  EXPECT_TRUE(judged(mail_of("In-Reply-To: <a@b.example>\n")).empty());
  EXPECT_TRUE(judged(mail_of("List-Id: <l.example.org>\n"), "example.org").empty());
  EXPECT_EQ(judged(mail_of("List-Id: <l.example.org>\n")).size(), 1u) << "anybody can say so";
  seen_from(40);
  EXPECT_EQ(judged(mail_of("List-Unsubscribe: <https://a.example>\n"), "example.org").size(), 1u);
}

TEST_F(FuzzyChecksums, TheSameFromTheSameDomainNeverCounts) {
  TestMail test("From: b@news.example.org\nSubject: offer\n\n" + text());
  const auto print = trust::fingerprint_of(test.message);
  for (int mail = 0; mail < 100; ++mail) {
    sightings_->count(print, counted_sender(signed_by("news.example.org"), test.envelope, test.message), kNow);
  }
  EXPECT_TRUE(judged(test, "example.org").empty());
}

TEST_F(FuzzyChecksums, OwnTemplatesOutgoingMailAndReportsAreNotJudged) {
  seen_from(40);
  TestMail outgoing(mail_of());
  outgoing.direction = sheet::Direction::outbound;
  EXPECT_TRUE(judged(outgoing).empty());
  const std::string report =
      "From: MAILER-DAEMON@example.net\nContent-Type: multipart/report; boundary=b\n\n--b\n\n" + text() + "\n--b--\n";
  EXPECT_TRUE(judged(report).empty());
  sightings_ = std::move(*trust::Sightings::open({.entries = 1 << 14}));
  sightings_->count_own(trust::fingerprint_of(TestMail(mail_of()).message), kNow);
  seen_from(40);
  EXPECT_TRUE(judged(mail_of()).empty());
}

TEST_F(FuzzyChecksums, AttachmentsAreTold) {
  const std::string mail =
      "From: a@example.org\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b\n"
      "Content-Type: application/pdf\nContent-Disposition: attachment; filename=a.pdf\n\n" +
      std::string(3000, 'x') + "\n--b--\n";
  seen_from(5, mail);
  const auto findings = judged(mail);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].symbol, "attachment_seen_elsewhere");
}

TEST(CountedSender, IsTheDomainThatProvedItselfElseTheOneThatIsClaimed) {
  TestMail test("From: \"A\" <a@from.example.com>\n\nx\n");
  const auto of = [&](const Facts& facts) { return counted_sender(facts, test.envelope, test.message).hash; };
  const auto domain = [](std::string_view name) { return trust::Sender::of_domain(name).hash; };
  EXPECT_EQ(of(Facts{}), domain("example.com"));
  test.envelope.from.null = false;
  test.envelope.from.mailbox = {"b", mail::Domain("bounce.example.net")};
  EXPECT_EQ(of(Facts{}), domain("example.net"));
  EXPECT_EQ(of(signed_by("example.com")), domain("example.com"));
  EXPECT_EQ(of(signed_by("example.org")), domain("example.net")) << "somebody else's signature";
}

}  // namespace
}  // namespace doorward::filter
