#include "filter/sender_authentication.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "filter/case.h"

namespace doorward::filter {
namespace {

using mailauth::DmarcPolicy;
using mailauth::Result;
using testing::UnorderedElementsAre;

class SenderAuthenticationFilter : public testing::Test {
 protected:
  SenderAuthenticationFilter() { mail_.facts.authentication.emplace(); }
  Authentication& of() { return *mail_.facts.authentication; }
  void signature(Result result, const std::string& domain) {
    auto& one = of().dkim.signatures.emplace_back();
    one.result = result;
    one.domain = domain;
  }
  std::vector<std::string> symbols() {
    std::vector<std::string> names;
    for (const auto& finding : mail_.judged_by(sender_authentication())) names.emplace_back(finding.symbol);
    EXPECT_TRUE(mail_.unknown.empty());
    return names;
  }
  double points() {
    double sum = 0;
    for (const auto& finding : mail_.judged_by(sender_authentication())) sum += finding.strength;
    return sum;
  }
  void policy_fails(DmarcPolicy policy) {
    of().dmarc.result = Result::fail;
    of().dmarc.policy = policy;
  }
  TestMail mail_{"From: a@example.org\nSubject: hello\n\nhello\n"};
};

TEST_F(SenderAuthenticationFilter, SaysNothingWhereNobodyAsked) {
  mail_.facts.authentication.reset();
  EXPECT_TRUE(symbols().empty());
}

TEST_F(SenderAuthenticationFilter, AProvenMailHasABonus) {
  of().spf.result = Result::pass;
  of().spf.domain = "example.org";
  signature(Result::fail, "list.example");
  signature(Result::pass, "example.org");
  of().dmarc.result = Result::pass;
  EXPECT_THAT(symbols(), UnorderedElementsAre("spf_pass", "dkim_pass", "dmarc_pass"));
  EXPECT_LT(points(), 0);
}

TEST_F(SenderAuthenticationFilter, WhatProvesNothingIsSaid) {
  EXPECT_THAT(symbols(), UnorderedElementsAre("unproven"));
  of().spf.result = Result::softfail;
  signature(Result::fail, "example.org");
  EXPECT_THAT(symbols(), UnorderedElementsAre("spf_softfail", "dkim_fail", "unproven"));
}

// A published reject alone refuses nothing at the usual threshold (D8), and with any other sign it does.
TEST_F(SenderAuthenticationFilter, APublishedRejectIsAFindingAndNoRefusal) {
  policy_fails(DmarcPolicy::reject);
  EXPECT_THAT(symbols(), UnorderedElementsAre("dmarc_reject", "unproven"));
  EXPECT_LT(points(), 5);
  of().spf.result = Result::fail;
  EXPECT_GT(points(), 5);
  policy_fails(DmarcPolicy::none);
  EXPECT_THAT(symbols(), UnorderedElementsAre("spf_fail", "dmarc_none", "unproven"));
}

TEST_F(SenderAuthenticationFilter, AListThatProvesItselfSpeaksForTheMail) {
  TestMail list("From: a@example.org\nList-Id: <l.list.example>\n\nhello\n");
  list.facts = mail_.facts;
  list.facts.authentication->dmarc.result = Result::fail;
  list.facts.authentication->dmarc.policy = DmarcPolicy::reject;
  EXPECT_TRUE(list.has(sender_authentication(), "dmarc_reject")) << "the field alone is anybody's";
  list.facts.authentication->spf.result = Result::pass;
  list.facts.authentication->spf.domain = "list.example";
  EXPECT_TRUE(list.has(sender_authentication(), "dmarc_forwarded"));
}

// Who is trusted speaks for what came before, and only for the customer who trusts.
TEST_F(SenderAuthenticationFilter, ATrustedSealerGivesDmarcsPointsBack) {
  policy_fails(DmarcPolicy::reject);
  of().dmarc.author_domain = "example.org";
  of().arc.cv = Result::pass;
  const auto seal = [this](const char* domain, std::string_view results) {
    auto& sealer = of().arc.sealers.emplace_back();
    sealer.domain = domain;
    sealer.results = results;
  };
  seal("list.example", " list.example; dmarc=pass header.from=example.org");
  seal("forwarder.example", "mx.forwarder.example; dmarc=fail header.from=example.org");
  EXPECT_FALSE(mail_.has(sender_authentication(), "arc_trusted"));
  const std::vector<std::string> both{"list.example", "forwarder.example"}, oldest{"list.example"},
      newest{"forwarder.example"};
  mail_.input.trusted_sealers = {{7, both}};
  const auto findings = mail_.judged_by(sender_authentication());
  const auto given = std::ranges::find(findings, "arc_trusted", &sheet::Finding::symbol);
  ASSERT_NE(given, findings.end());
  EXPECT_EQ(given->strength, -4.5);
  EXPECT_EQ(given->owner, 7U);
  mail_.input.trusted_sealers = {{7, oldest}};
  EXPECT_FALSE(mail_.has(sender_authentication(), "arc_trusted")) << "a stranger had it since";
  mail_.input.trusted_sealers = {{7, newest}};
  EXPECT_FALSE(mail_.has(sender_authentication(), "arc_trusted")) << "who is trusted did not see it proven";
  mail_.input.trusted_sealers = {{7, both}};
  of().dmarc.author_domain = "example.net";
  EXPECT_FALSE(mail_.has(sender_authentication(), "arc_trusted")) << "another author was proven";
  of().dmarc.author_domain = "example.org";
  of().arc.cv = Result::fail;
  EXPECT_FALSE(mail_.has(sender_authentication(), "arc_trusted")) << "the chain is broken";
}

TEST_F(SenderAuthenticationFilter, ATimeOutCostsNothing) {
  of().spf.result = of().dmarc.result = Result::temperror;
  signature(Result::temperror, "example.org");
  EXPECT_THAT(symbols(), UnorderedElementsAre("spf_temperror", "dkim_temperror", "dmarc_temperror", "unproven"));
  EXPECT_LE(points(), 0.3);
}

TEST_F(SenderAuthenticationFilter, OfOurOwnNetworksOnlySignaturesAreLookedAt) {
  of().spf_asked = false;
  EXPECT_TRUE(symbols().empty());
  signature(Result::pass, "example.org");
  EXPECT_THAT(symbols(), UnorderedElementsAre("dkim_pass"));
}

}  // namespace
}  // namespace doorward::filter
