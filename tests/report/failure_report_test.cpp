#include "report/failure_report.h"

#include <gtest/gtest.h>

namespace doorward::report {
namespace {

using mailauth::Result;

constexpr std::string_view kMail =
    "From: =?utf-8?q?Alice?= <alice@example.org>\r\n"
    "To: bob@in.example\r\n"
    "Subject: secret\r\n"
    "Date: Mon, 23 Nov 2026 09:00:00 +0000\r\n"
    "Message-ID: <1@example.org>\r\n"
    "DKIM-Signature: v=1; d=example.org;\r\n\ts=k; b=AAAA\r\n"
    "\r\nhidden\r\n";

// A mail in example.org's name that came from somewhere else.
class FailureReportTest : public testing::Test {
 protected:
  FailureReportTest() {
    client_.ip = *mail::IpAddress::parse("192.0.2.7");
    envelope_.from.null = false;
    envelope_.from.mailbox = *mail::parse_mailbox("someone@bulk.example");
    auto& of = facts_.authentication.emplace();
    of.spf.result = Result::fail;
    of.spf.domain = "bulk.example";
    of.dmarc.result = Result::fail;
    of.dmarc.policy = mailauth::DmarcPolicy::reject;
    of.dmarc.author_domain = of.dmarc.policy_domain = of.dmarc.organizational_domain = "example.org";
    asks("0");
    sheet_.groups.resize(1);
    sheet_.groups[0].disposition = sheet::Disposition::refuse;
    sheet_.groups[0].reply_code = 550;
  }
  void asks(const std::string& fo) {
    facts_.authentication->dmarc.record =
        mailauth::parse_dmarc_record("v=DMARC1; p=reject; ruf=mailto:r@example.org,https://x.example/; fo=" + fo);
  }
  void signed_by(std::string domain, Result result) {
    mailauth::DkimSignature signature;
    signature.domain = domain;
    signature.identity = "@" + domain;
    signature.selector = "k";
    signature.result = result;
    facts_.authentication->dkim.signatures.push_back(std::move(signature));
  }
  std::optional<FailureReport> told(std::string_view text = kMail) {
    const auto message = mime::Message::parse(text);
    return failure_of({facts_, client_, envelope_, message, sheet_, {}, SystemTime(std::chrono::seconds(1000))},
                      "mx.in.example");
  }

  filter::Facts facts_;
  mail::Client client_;
  mail::Envelope envelope_;
  sheet::ScoreSheet sheet_;
};

TEST_F(FailureReportTest, TellsOfTheMailAndNotWhomItWentToOrWhatItSays) {
  signed_by("mail.example.org", Result::fail);
  const auto report = told();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->addresses, (std::vector<ReportAddress>{{"mailto:r@example.org", 0}}));
  EXPECT_EQ(report->delivery, "reject");
  EXPECT_EQ(report->dkim_domain, "mail.example.org");
  EXPECT_EQ(report->spf_domain, "") << "the failing domain is not the author's";
  const ReportSender sender{.organization = "In", .contact = "dmarc@in.example", .host_name = "mx.in.example"};
  const auto text = failure_message(sender, *report, "01ID", *mail::parse_mailbox("r@example.org"), 1, report->time);
  const auto message = mime::Message::parse(text);
  ASSERT_EQ(message.parts().size(), 4U);
  EXPECT_EQ(message.parts()[2].subtype, "feedback-report");
  EXPECT_EQ(message.parts()[3].subtype, "rfc822-headers");
  for (const std::string_view line :
       {"Feedback-Type: auth-failure\r\n", "Auth-Failure: dmarc\r\n", "Identity-Alignment: dkim, spf\r\n",
        "Delivery-Result: reject\r\n", "Reported-Domain: example.org\r\n", "Source-IP: 192.0.2.7\r\n",
        "Authentication-Results: mx.in.example;", "smtp.mailfrom=bulk.example", "DKIM-Selector: k\r\n",
        "DKIM-Signature: v=1; d=example.org;\r\n \ts=k; b=AAAA\r\n", "Message-ID: <1@example.org>\r\n",
        "Auto-Submitted: auto-generated\r\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
  for (const std::string_view hidden : {"bob", "secret", "hidden", "someone", "SPF-DNS"}) {
    EXPECT_EQ(text.find(hidden), std::string::npos) << hidden;
  }
}

TEST_F(FailureReportTest, ARecordOfSpfIsToldOfAnAlignedDomain) {
  facts_.authentication->spf.domain = "example.org";
  auto report = told();
  ASSERT_TRUE(report);
  report->spf_record = "v=spf1 exp=\"x\" -all";
  const auto text = failure_message({.organization = "In", .contact = "d@in.example"}, *report, "1",
                                    *mail::parse_mailbox("r@example.org"), 1, report->time);
  EXPECT_NE(text.find("SPF-DNS: txt : example.org : \"v=spf1 exp=\\\"x\\\" -all\"\r\n"), std::string::npos) << text;
}

TEST_F(FailureReportTest, WhatIsAskedForDecides) {
  auto& of = *facts_.authentication;
  of.dmarc.result = Result::pass;
  of.dmarc.dkim_aligned = true;
  signed_by("example.org", Result::pass);
  EXPECT_FALSE(told());
  asks("1");
  ASSERT_TRUE(told()) << "SPF proved nothing";
  EXPECT_TRUE(told()->spf_failed);
  EXPECT_FALSE(told()->dkim_failed);
  asks("s");
  EXPECT_TRUE(told());
  asks("d");
  EXPECT_FALSE(told());
  signed_by("other.example", Result::fail);
  EXPECT_TRUE(told());
  EXPECT_EQ(told()->dkim_domain, "") << "not an aligned one";
  of.dmarc.spf_aligned = true;
  asks("1");
  EXPECT_FALSE(told());
}

TEST_F(FailureReportTest, NoneOfWhatComesAgainOfReportsAndWithoutAnAddress) {
  ASSERT_TRUE(told());
  sheet_.groups[0].reply_code = 451;
  EXPECT_FALSE(told());
  sheet_.groups[0].reply_code = 250;
  EXPECT_FALSE(told("Auto-Submitted: auto-replied\r\nFrom: a@example.org\r\n\r\n"));
  envelope_.from.null = true;
  EXPECT_FALSE(told());
  envelope_.from.null = false;
  facts_.authentication->dmarc.result = Result::temperror;
  EXPECT_FALSE(told());
  facts_.authentication->dmarc.result = Result::fail;
  facts_.authentication->dmarc.record = mailauth::parse_dmarc_record("v=DMARC1; p=reject; rua=mailto:a@example.org");
  EXPECT_FALSE(told());
}

TEST_F(FailureReportTest, WhatOtherFiltersDidIsNotTold) {
  facts_.authentication->dmarc.policy = mailauth::DmarcPolicy::quarantine;
  EXPECT_EQ(told()->delivery, "");
  sheet_.groups[0].disposition = sheet::Disposition::quarantine;
  sheet_.groups[0].reply_code = 250;
  EXPECT_EQ(told()->delivery, "spam");
}

TEST_F(FailureReportTest, StrangersOctetsMakeNoLineOfTheirOwn) {
  const auto report = told("From: a\x01\xff <a@example.org>\r\nMessage-ID: " + std::string(5000, 'm') + "\r\n\r\n");
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->headers.starts_with("From: a?? <a@example.org>\r\n")) << report->headers;
  EXPECT_LT(report->headers.size(), 5000U);
  for (size_t at = 0, end = 0; at < report->headers.size(); at = end + 2) {
    end = report->headers.find("\r\n", at);
    EXPECT_LE(end - at, 998U);
  }
}

}  // namespace
}  // namespace doorward::report
