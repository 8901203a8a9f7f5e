#include "action/authentication_results.h"

#include <gtest/gtest.h>

#include "action/verdicted.h"

namespace doorward::action {
namespace {

using mailauth::Result;

TestVerdict mail() {
  TestVerdict mail("Subject: a\r\n\r\nx\r\n");
  mail.envelope.from.null = false;
  mail.envelope.from.mailbox = *mail::parse_mailbox("a@example.org");
  mail.client.ip = *mail::IpAddress::parse("192.0.2.1");
  mail.client.helo = "mx.example.org";
  auto& of = mail.facts.authentication.emplace();
  of.iprev = {Result::pass, "mx.example.org"};
  of.spf = {.result = Result::pass, .domain = "example.org", .evidence = "ip4:192.0.2.1 of example.org"};
  auto& signature = of.dkim.signatures.emplace_back();
  signature.result = Result::fail;
  signature.reason = "the body was changed";
  signature.domain = "example.org";
  signature.selector = "s";
  of.dmarc.result = Result::pass;
  of.dmarc.author_domain = "example.org";
  of.dmarc.record.emplace();
  of.dmarc.published = mailauth::DmarcPolicy::reject;
  return mail;
}

TEST(AuthenticationResultsAction, SaysWhatEachCheckCameTo) {
  EXPECT_EQ(mail().after(authentication_results()),
            "Authentication-Results: mx.example.net;\r\n"
            "\tiprev=pass (mx.example.org) policy.iprev=192.0.2.1;\r\n"
            "\tspf=pass (ip4:192.0.2.1 of example.org) smtp.mailfrom=a@example.org;\r\n"
            "\tdkim=fail reason=\"the body was changed\" header.d=example.org\r\n"
            "\t header.s=s;\r\n"
            "\tdmarc=pass (p=reject) header.from=example.org\r\n"
            "Subject: a\r\n\r\nx\r\n");
}

TEST(AuthenticationResultsAction, TheNullPathIsNamedByItsGreeting) {
  TestVerdict bounce = mail();
  bounce.envelope.from.null = true;
  EXPECT_NE(bounce.after(authentication_results()).find("smtp.helo=mx.example.org"), std::string::npos);
}

TEST(AuthenticationResultsAction, WritesNothingForOutboundOrWhereNobodyAskedOrWhereItIsOff) {
  TestVerdict outbound = mail();
  outbound.sheet.direction = sheet::Direction::outbound;
  EXPECT_EQ(outbound.after(authentication_results()), outbound.raw);
  TestVerdict off = mail();
  off.settings.authentication_results = false;
  EXPECT_EQ(off.after(authentication_results()), off.raw);
  TestVerdict unasked = mail();
  unasked.facts.authentication.reset();
  EXPECT_EQ(unasked.after(authentication_results()), unasked.raw);
}

TEST(AuthenticationResultsAction, OfOurOwnNetworksOnlySignaturesAreTold) {
  TestVerdict local = mail();
  local.facts.authentication->spf_asked = false;
  const auto text = local.after(authentication_results());
  EXPECT_EQ(text.find("spf="), std::string::npos);
  EXPECT_EQ(text.find("dmarc="), std::string::npos);
  EXPECT_NE(text.find("dkim=fail"), std::string::npos);
}

}  // namespace
}  // namespace doorward::action
