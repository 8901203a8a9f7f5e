#include "report/report_mail.h"

#include <gtest/gtest.h>

#include "mime/message.h"
#include "report/compression.h"

namespace doorward::report {
namespace {

ReportSender sender() {
  ReportSender made;
  made.organization = "Büro \"B\"";
  made.contact = "dmarc@b.example";
  made.host_name = "mx.b.example";
  return made;
}

DmarcReport report() {
  DmarcReport made;
  made.id = "01J00000000000000000000000";
  made.begin = 1000;
  made.end = 1999;
  made.published.domain = "example.org";
  made.rows.resize(2);
  made.rows[0].count = 40;
  made.rows[1].count = 2;
  return made;
}

TEST(ReportMail, IsWhatTheStandardWants) {
  const std::string document = gzip(std::string(50'000, 'x') + "the end");
  const auto raw = report_message(sender(), report(), document, *mail::parse_mailbox("a@example.org"), 1,
                                  SystemTime(std::chrono::seconds(1'700'000'000)));
  const auto message = mime::Message::parse(raw);
  EXPECT_TRUE(message.oddities().empty()) << message.oddities().front().name;
  const auto field = [&](std::string_view name) { return message.headers().unfolded(name); };
  EXPECT_EQ(field("Subject"), report_subject(sender(), report()));
  EXPECT_EQ(field("Subject"), "Report Domain: example.org Submitter: b.example Report-ID: 01J00000000000000000000000");
  EXPECT_EQ(message.headers().text("From"), "Büro \"B\" <dmarc@b.example>");
  EXPECT_EQ(field("To"), "<a@example.org>");
  EXPECT_EQ(field("Date"), "Tue, 14 Nov 2023 22:13:20 +0000");
  EXPECT_EQ(field("Auto-Submitted"), "auto-generated");
  ASSERT_EQ(message.parts().size(), 3);
  EXPECT_NE(message.parts()[1].body.find("Mails:     42"), std::string_view::npos);
  const mime::Part& attached = message.parts()[2];
  EXPECT_EQ(attached.type + "/" + attached.subtype, "application/gzip");
  EXPECT_EQ(attached.file_name, "b.example!example.org!1000!1999!01J00000000000000000000000.xml.gz");
  EXPECT_EQ(message.decoded(attached), document);
  size_t longest = 0;
  for (size_t at = 0; at < raw.size();) {
    const size_t end = raw.find("\r\n", at);
    ASSERT_NE(end, std::string::npos);
    longest = std::max(longest, end - at);
    at = end + 2;
  }
  EXPECT_LE(longest, 120);
}

TEST(ReportMail, ANameOfOurOwnBreaksNoField) {
  ReportSender odd = sender();
  odd.organization = "A \\ \"B\"\r\nBcc: c@d.example";
  const auto raw = report_message(odd, report(), "x", *mail::parse_mailbox("a@example.org"), 1, {});
  EXPECT_EQ(mime::Message::parse(raw).headers().count("Bcc"), 0);
  EXPECT_NE(raw.find("From: \"A \\\\ \\\"B\\\"Bcc: c@d.example\" <dmarc@b.example>\r\n"), std::string::npos);
}

TEST(ReportMail, GoesToTheMxWithANullSender) {
  const auto mail = report_mail(sender(), "Subject: x\r\n\r\n", "x", *mail::parse_mailbox("a@Example.org"),
                                *policy::Snapshot::defaults(), {});
  EXPECT_TRUE(mail.mail->from.null);
  EXPECT_FALSE(mail.mail->may_bounce);
  ASSERT_EQ(mail.mail->recipients.size(), 1);
  EXPECT_EQ(text(mail.mail->recipients[0].destination), "mx:example.org");
  EXPECT_TRUE(mail.mail->recipients[0].to.notify.never);
}

}  // namespace
}  // namespace doorward::report
