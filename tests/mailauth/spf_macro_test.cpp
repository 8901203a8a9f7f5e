// The examples of RFC 7208 §7.4, and what else its §7 says.
#include "mailauth/spf_macro.h"

#include <gtest/gtest.h>

#include <chrono>

namespace doorward::mailauth {
namespace {

SpfMacroValues sample(std::string_view ip = "192.0.2.3") {
  SpfMacroValues values;
  values.local = "strong-bad";
  values.sender_domain = "email.example.com";
  values.domain = "email.example.com";
  values.helo = "mail.example.org";
  values.validated = "mx.example.org";
  values.receiver = "in.example.net";
  values.ip = *mail::IpAddress::parse(ip);
  values.now = SystemTime(std::chrono::seconds(1700000000));
  return values;
}

TEST(SpfMacro, ExpandsAsInTheExamples) {
  const SpfMacroValues values = sample();
  const std::pair<std::string_view, std::string_view> examples[] = {
      {"%{s}", "strong-bad@email.example.com"},
      {"%{o}", "email.example.com"},
      {"%{d}", "email.example.com"},
      {"%{d4}", "email.example.com"},
      {"%{d3}", "email.example.com"},
      {"%{d2}", "example.com"},
      {"%{d1}", "com"},
      {"%{dr}", "com.example.email"},
      {"%{d2r}", "example.email"},
      {"%{l}", "strong-bad"},
      {"%{l-}", "strong.bad"},
      {"%{lr}", "strong-bad"},
      {"%{lr-}", "bad.strong"},
      {"%{l1r-}", "strong"},
      {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
      {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
      {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
      {"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"},
      {"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
      {"%{h}", "mail.example.org"},
      {"%{p2}", "example.org"},
      {"a%%b%_c%-d.example", "a%b c%20d.example"},
      {"a.example.", "a.example"},
  };
  for (const auto& [spec, expected] : examples) {
    ASSERT_TRUE(is_domain_spec(spec)) << spec;
    EXPECT_EQ(expand_domain(spec, values), expected) << spec;
  }
  EXPECT_EQ(expand_domain("%{ir}.%{v}._spf.%{d2}", sample("2001:db8::cb01")),
            "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com");
}

TEST(SpfMacro, UpperCaseLettersEscapeTheirValue) {
  SpfMacroValues values = sample();
  values.local = "a b+c/~\xC3\xBC";
  EXPECT_EQ(expand_domain("%{L}.example", values), "a%20b%2Bc%2F~%C3%BC.example");
  EXPECT_EQ(expand_domain("%{L+}.example", values), "a%20b.c%2F~%C3%BC.example");
}

TEST(SpfMacro, ExplanationsHaveMoreLetters) {
  const SpfMacroValues values = sample("2001:db8::cb01");
  EXPECT_EQ(expand_explanation("%{c} may not, says %{R} at %{t}.", values),
            "2001:db8::cb01 may not, says in.example.net at 1700000000.");
  EXPECT_FALSE(is_domain_spec("%{c}"));
  EXPECT_FALSE(expand_explanation("100%", values));
  EXPECT_FALSE(expand_explanation("\xC3\xBC", values));
  EXPECT_FALSE(expand_explanation("two\nlines", values));
}

TEST(SpfMacro, ExplanationsAreBoundedAndAscii) {
  SpfMacroValues values = sample();
  std::string text;
  for (int i = 0; i < 100; ++i) text += "%{s}";
  EXPECT_FALSE(expand_explanation(text, values));
  values.local = "\xC3\xBC";
  EXPECT_FALSE(expand_explanation("%{l} may not", values));
  EXPECT_EQ(expand_explanation("%{L} may not", values), "%C3%BC may not");
}

TEST(SpfMacro, LongNamesLoseLabelsInFront) {
  SpfMacroValues values = sample();
  std::string spec;
  for (int i = 0; i < 2000; ++i) spec += "%{s}.";
  spec += "example.net";
  const std::string name = expand_domain(spec, values);
  EXPECT_LE(name.size(), 253U);
  EXPECT_GT(name.size(), 225U);
  EXPECT_TRUE(name.ends_with("-bad@email.example.com.example.net"));
  EXPECT_FALSE(name.starts_with('.'));
  EXPECT_EQ(expand_domain(std::string(300, 'x') + ".example", values), "example");
  EXPECT_EQ(expand_domain("a." + std::string(251, 'x') + "%{d1}", values), "");  // no label that could be kept
}

TEST(SpfMacro, MorePartsThanThereAreIsAll) {
  EXPECT_EQ(expand_domain("%{d99999999999999999999}", sample()), "email.example.com");
}

TEST(SpfMacro, KnowsTheLettersOfAText) {
  const SpfMacroLetters letters("%{L1r-}.x%%{p}.%{d}");
  EXPECT_TRUE(letters.has('l'));
  EXPECT_TRUE(letters.has('d'));
  EXPECT_FALSE(letters.has('p'));
}

}  // namespace
}  // namespace doorward::mailauth
