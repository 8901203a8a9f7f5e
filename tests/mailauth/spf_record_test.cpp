#include "mailauth/spf_record.h"

#include <gtest/gtest.h>

namespace doorward::mailauth {
namespace {

bool parses(std::string_view text) { return parse_spf_record(text).has_value(); }

TEST(SpfRecord, IsKnownByItsVersion) {
  EXPECT_TRUE(is_spf_record("v=spf1"));
  EXPECT_TRUE(is_spf_record("V=SPF1 -all"));
  EXPECT_FALSE(is_spf_record("v=spf10 -all"));
  EXPECT_FALSE(is_spf_record("v=spf1\t-all"));
  EXPECT_FALSE(is_spf_record(" v=spf1 -all"));
  EXPECT_FALSE(is_spf_record("v=spf"));
}

TEST(SpfRecord, KeepsTermsInOrder) {
  const auto record =
      parse_spf_record("v=spf1  A/24//64 ~mx:mail.example ?ptr ip4:192.0.2.7/24 -ip6:2001:db8::/32 ALL ");
  ASSERT_TRUE(record) << record.error();
  ASSERT_EQ(record->terms.size(), 6U);
  const SpfTerm& a = record->terms[0];
  EXPECT_EQ(a.mechanism, SpfMechanism::a);
  EXPECT_EQ(a.qualifier, Result::pass);
  EXPECT_EQ(a.text, "A/24//64");
  EXPECT_EQ(a.domain_spec, "");
  EXPECT_EQ(a.ip4_bits, 24);
  EXPECT_EQ(a.ip6_bits, 64);
  EXPECT_EQ(record->terms[1].mechanism, SpfMechanism::mx);
  EXPECT_EQ(record->terms[1].qualifier, Result::softfail);
  EXPECT_EQ(record->terms[1].domain_spec, "mail.example");
  EXPECT_EQ(record->terms[2].qualifier, Result::neutral);
  // Bits beyond the prefix may be set in a record.
  EXPECT_TRUE(record->terms[3].network.contains(*mail::IpAddress::parse("192.0.2.200")));
  EXPECT_FALSE(record->terms[3].network.contains(*mail::IpAddress::parse("192.0.3.7")));
  EXPECT_EQ(record->terms[4].qualifier, Result::fail);
  EXPECT_TRUE(record->terms[4].network.contains(*mail::IpAddress::parse("2001:db8:1::1")));
  EXPECT_EQ(record->terms[5].mechanism, SpfMechanism::all);
}

TEST(SpfRecord, KeepsModifiers) {
  const auto record = parse_spf_record("v=spf1 Exp=why.%{d} a Redirect=other.example foo=bar:/=x");
  ASSERT_TRUE(record) << record.error();
  EXPECT_EQ(record->explanation, "why.%{d}");
  EXPECT_EQ(record->redirect, "other.example");
  EXPECT_EQ(record->terms.size(), 1U);
}

TEST(SpfRecord, LengthsEndADomainSpecThatMayHoldSlashes) {
  const auto record = parse_spf_record("v=spf1 a:%{l/}.x/y.example/8 mx:%{d}//48 a:10/8.example");
  ASSERT_TRUE(record) << record.error();
  EXPECT_EQ(record->terms[0].domain_spec, "%{l/}.x/y.example");
  EXPECT_EQ(record->terms[0].ip4_bits, 8);
  EXPECT_EQ(record->terms[1].domain_spec, "%{d}");
  EXPECT_EQ(record->terms[1].ip6_bits, 48);
  EXPECT_EQ(record->terms[2].domain_spec, "10/8.example");
}

TEST(SpfRecord, RefusesWhatTheGrammarDoes) {
  for (const std::string_view text : {"v=spf1 all:",
                                      "v=spf1 al",
                                      "v=spf1 -",
                                      "v=spf1 +-all",
                                      "v=spf1 include",
                                      "v=spf1 include:",
                                      "v=spf1 a:",
                                      "v=spf1 a/",
                                      "v=spf1 a/33",
                                      "v=spf1 a/032",
                                      "v=spf1 a//129",
                                      "v=spf1 a/24/64",
                                      "v=spf1 a///64",
                                      "v=spf1 a:com",
                                      "v=spf1 a:x.123",
                                      "v=spf1 a:x.-y",
                                      "v=spf1 a:x.y-",
                                      "v=spf1 ptr/24",
                                      "v=spf1 exists:a.example/24",
                                      "v=spf1 ip4:1.2.3",
                                      "v=spf1 ip4:1.2.3.4:25",
                                      "v=spf1 ip4:01.2.3.4",
                                      "v=spf1 ip4:1.2.3.256",
                                      "v=spf1 ip4:1.2.3.4/",
                                      "v=spf1 ip4:1.2.3.4/33",
                                      "v=spf1 ip4:::1",
                                      "v=spf1 ip6:1.2.3.4",
                                      "v=spf1 ip6:::1/129",
                                      "v=spf1 ip6:fe80::1%eth0",
                                      "v=spf1 redirect=",
                                      "v=spf1 redirect=a.example redirect=b.example",
                                      "v=spf1 exp=a.example EXP=a.example",
                                      "v=spf1 redirect=com",
                                      "v=spf1 x=%",
                                      "v=spf1 x=%{q}",
                                      "v=spf1 =x",
                                      "v=spf1 1x=y",
                                      "v=spf1 a:%{d",
                                      "v=spf1 a:%{}",
                                      "v=spf1 a:%{d0}",
                                      "v=spf1 a:%{dr2}",
                                      "v=spf1 a:%{d-r}",
                                      "v=spf1 a:%{c}",
                                      "v=spf1 exp=%{t}.example",
                                      "v=spf1 a\tmx",
                                      "v=spf1 a:x\x80.example",
                                      "v=spf1 a:\x7F.example"}) {
    EXPECT_FALSE(parses(text)) << text;
  }
}

TEST(SpfRecord, AnErrorBehindAllIsOne) {
  const auto record = parse_spf_record("v=spf1 -all \x01moo");
  ASSERT_FALSE(record);
  EXPECT_EQ(record.error(), "\"?moo\": no mechanism of SPF");
}

}  // namespace
}  // namespace doorward::mailauth
