#include "filter/facts.h"

#include <gtest/gtest.h>

namespace doorward::filter {
namespace {

using mailauth::Result;

Facts signed_by(std::string domain, Result result = Result::pass, uint64_t unsigned_octets = 0) {
  Facts facts;
  auto& one = facts.authentication.emplace().dkim.signatures.emplace_back();
  one.result = result;
  one.domain = std::move(domain);
  one.unsigned_octets = unsigned_octets;
  return facts;
}

TEST(Facts, WithoutAnyChecksNothingIsProven) {
  const Facts none;
  EXPECT_FALSE(none.proves("example.org"));
  EXPECT_FALSE(none.proves_somebody());
}

TEST(Facts, ASignatureProvesItsDomainAndWhatIsBelow) {
  EXPECT_TRUE(signed_by("example.org").proves("example.org"));
  EXPECT_TRUE(signed_by("example.org").proves("Mail.Example.org"));
  EXPECT_FALSE(signed_by("mail.example.org").proves("example.org"));
  EXPECT_FALSE(signed_by("ample.org").proves("example.org"));
  EXPECT_FALSE(signed_by("org").proves("example.org"));
  EXPECT_FALSE(signed_by("example.org", Result::fail).proves("example.org"));
  EXPECT_FALSE(signed_by("example.org", Result::fail).proves_somebody());
  EXPECT_FALSE(signed_by("example.org", Result::pass, 10).proves("example.org")) << "anybody may have added the rest";
}

TEST(Facts, DmarcKnowsWhoOwnsWhat) {
  Facts facts = signed_by("mail.example.org");
  facts.authentication->dmarc.result = Result::pass;
  facts.authentication->dmarc.author_domain = "example.org";
  facts.authentication->dmarc.whole = true;
  EXPECT_TRUE(facts.proves("example.org"));
  EXPECT_FALSE(facts.proves("example.net"));
}

// DMARC passes by a signature with l=, whose end anybody may have added; as a proof of who speaks it is none.
TEST(Facts, ASignatureOfABeginningProvesNothingByDmarcEither) {
  Facts facts = signed_by("example.org", Result::pass, 10);
  facts.authentication->dmarc.result = Result::pass;
  facts.authentication->dmarc.author_domain = "example.org";
  EXPECT_FALSE(facts.proves("example.org"));
}

}  // namespace
}  // namespace doorward::filter
