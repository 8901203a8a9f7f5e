#include "filter/own_domain.h"

#include <gtest/gtest.h>

#include "filter/case.h"

namespace doorward::filter {
namespace {

TestMail claimed(const std::string& fields = "") {
  TestMail mail("From: boss@in.example\n" + fields + "Subject: hello\n\nhello\n");
  mail.facts.authentication.emplace();
  mail.input.claims = {{7, "in.example"}};
  mail.input.customers = {7};
  return mail;
}

TEST(OwnDomain, AStrangerInItsNameIsToldToItsOwnerAlone) {
  const auto findings = claimed().judged_by(own_domain());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].symbol, "own_domain_forged");
  EXPECT_EQ(findings[0].owner, 7U);
  EXPECT_EQ(findings[0].evidence, "in.example");
}

TEST(OwnDomain, WhatIsProvenIsNoForgery) {
  TestMail mail = claimed();
  mail.facts.authentication->spf = {.result = mailauth::Result::pass, .domain = "in.example"};
  EXPECT_TRUE(mail.judged_by(own_domain()).empty());
  mail.facts.authentication->spf.domain = "evil.example";
  EXPECT_TRUE(mail.has(own_domain(), "own_domain_forged"));
}

TEST(OwnDomain, OfOurOwnNetworksNothingIsAsked) {
  TestMail local = claimed();
  local.facts.authentication->spf_asked = false;
  EXPECT_TRUE(local.judged_by(own_domain()).empty());
  TestMail unasked = claimed();
  unasked.facts.authentication.reset();
  EXPECT_TRUE(unasked.judged_by(own_domain()).empty());
  TestMail outbound = claimed();
  outbound.direction = sheet::Direction::outbound;
  EXPECT_TRUE(outbound.judged_by(own_domain()).empty());
}

TEST(OwnDomain, AListThatProvesItselfMayForward) {
  TestMail list = claimed("List-Id: <l.list.example>\n");
  EXPECT_TRUE(list.has(own_domain(), "own_domain_forged")) << "the field alone is anybody's";
  list.facts.authentication->spf = {.result = mailauth::Result::pass, .domain = "list.example"};
  EXPECT_TRUE(list.has(own_domain(), "own_domain_forwarded"));
}

}  // namespace
}  // namespace doorward::filter
