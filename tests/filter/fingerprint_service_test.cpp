#include "filter/fingerprint_service.h"

#include <gtest/gtest.h>

#include "filter/case.h"
#include "filter/file_name.h"

namespace doorward::filter {
namespace {

using namespace std::chrono_literals;

trust::ReferenceAnswer answer(double bulk, double spam, double outbreak) {
  trust::ReferenceAnswer made;
  made.known = true;
  made.bulk = bulk;
  made.spam = spam;
  made.outbreak = outbreak;
  made.domains = bulk > 0 ? trust::Breadth::fifty : trust::Breadth::few;
  made.gateways = trust::Breadth::three;
  made.since = SystemTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 9h + 12min);
  return made;
}

sheet::Findings judged(std::optional<trust::ReferenceAnswer> elsewhere, const std::string& fields = "") {
  TestMail mail("From: a@example.org\nSubject: x\n" + fields + "\nhello\n");
  mail.facts.elsewhere = elsewhere;
  auto& signature = mail.facts.authentication.emplace().dkim.signatures.emplace_back();
  signature.result = mailauth::Result::pass;
  signature.domain = "example.org";
  auto findings = mail.judged_by(fingerprint_service());
  EXPECT_TRUE(mail.unknown.empty());
  return findings;
}

TEST(FingerprintService, SaysNothingOfWhatIsNotKnown) {
  EXPECT_TRUE(judged(std::nullopt).empty());
  EXPECT_TRUE(judged(trust::ReferenceAnswer{}).empty());
  EXPECT_TRUE(judged(answer(0, 0.49, 0.49)).empty());
}

TEST(FingerprintService, SaysHowLikelyHowWidelyAndSinceWhen) {
  const auto findings = judged(answer(0, 0.92, 0));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].symbol, "spam_elsewhere");
  EXPECT_DOUBLE_EQ(findings[0].strength, 0.92);
  EXPECT_EQ(findings[0].evidence, "92 % likely spam, as 3 gateways or more have it, since 2026-11-23 09:12 UTC");
}

TEST(FingerprintService, BulkCountsALittleAndNotForNewslettersAndAnswers) {
  const auto findings = judged(answer(0.8, 0, 0));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].symbol, "bulk_elsewhere");
  EXPECT_DOUBLE_EQ(findings[0].strength, 0.2);
  EXPECT_NE(findings[0].evidence.find("from 50 domains or more"), std::string::npos) << findings[0].evidence;
  EXPECT_TRUE(judged(answer(0.8, 0, 0), "List-Unsubscribe: <mailto:u@example.org>\n").empty());
  EXPECT_TRUE(judged(answer(0.8, 0, 0), "In-Reply-To: <1@example.org>\n").empty());
}

TEST(FingerprintService, OnlyASureOutbreakIsOne) {
  const auto likely = judged(answer(0, 0, 0.6)), sure = judged(answer(0, 0, 0.8));
  ASSERT_EQ(likely.size(), 1u);
  ASSERT_EQ(sure.size(), 1u);
  EXPECT_FALSE(is_outbreak(likely[0]));
  EXPECT_TRUE(is_outbreak(sure[0]));
  EXPECT_FALSE(is_outbreak(judged(answer(0, 0.99, 0))[0]));
}

TEST(FileName, ProgramsAreKnownByTheirLastExtension) {
  const auto has = [](const std::string& name) {
    return has_program(
        TestMail("MIME-Version: 1.0\nContent-Type: application/octet-stream; name=\"" + name + "\"\n\nMZ\n").message);
  };
  EXPECT_TRUE(has("invoice.pdf.EXE"));
  EXPECT_TRUE(has("invoice.js . "));
  EXPECT_FALSE(has("invoice.exe.pdf"));
  EXPECT_FALSE(has("invoice"));
}

}  // namespace
}  // namespace doorward::filter
