#include "mail/address.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace doorward::mail {
namespace {

using std::string_literals::operator""s;

std::string reverse(std::string_view text, Utf8 utf8 = Utf8::allowed) {
  std::string_view rest;
  const auto path = parse_reverse_path(text, utf8, rest);
  if (!path) return "error: " + path.error().what;
  return (path->null ? "null" : path->text()) + "|" + std::string(rest);
}

bool good(std::string_view text, Utf8 utf8 = Utf8::allowed) { return parse_mailbox(text, utf8).has_value(); }

TEST(Address, ReversePathStopsBehindItsBracket) {
  EXPECT_EQ(reverse("<>"), "null|");
  EXPECT_EQ(reverse("<> SIZE=1"), "null| SIZE=1");
  EXPECT_EQ(reverse("<a@b.example> BODY=7BIT"), "a@b.example| BODY=7BIT");
  EXPECT_EQ(reverse("<a@b.example>x"), "a@b.example|x");
}

TEST(Address, PathsNeedTheirBrackets) {
  for (const char* text : {"", "a@b.example", "<a@b.example", "a@b.example>", "<a@b.example >", "< a@b.example>", "< >",
                           "<<a@b.example>>", "<a@b.example,c@d.example>", "<a>", "<@>", "<a@>", "<@b.example>"}) {
    EXPECT_TRUE(reverse(text).starts_with("error")) << text;
  }
}

TEST(Address, SourceRoutesAreDropped) {
  EXPECT_EQ(reverse("<@one.example:a@b.example>"), "a@b.example|");
  EXPECT_EQ(reverse("<@one.example,@[192.0.2.1]:a@b.example> X"), "a@b.example| X");
  for (const char* text :
       {"<@one.example,a@b.example>", "<@one.example:>", "<@:a@b.example>", "<@one.example,:a@b.example>",
        "<@one.example;a@b.example>", "<@one.example", "<@one.example,"}) {
    EXPECT_TRUE(reverse(text).starts_with("error")) << text;
  }
}

TEST(Address, PostmasterAloneIsAForwardPathOnly) {
  std::string_view rest;
  const auto path = parse_forward_path("<postMASTER> NOTIFY=NEVER", Utf8::refused, rest);
  ASSERT_TRUE(path);
  EXPECT_TRUE(path->domain.empty());
  EXPECT_EQ(path->key(), "postmaster");
  EXPECT_EQ(path->text(), "postMASTER");
  EXPECT_EQ(rest, " NOTIFY=NEVER");
  EXPECT_FALSE(parse_forward_path("<>", Utf8::refused, rest));
  EXPECT_FALSE(parse_forward_path("<abuse>", Utf8::refused, rest));
  EXPECT_TRUE(reverse("<Postmaster>").starts_with("error"));
}

TEST(Address, LocalPartIsKeptDecodedAndQuotedAgain) {
  const auto quoted = parse_mailbox("\"a b\\\"c\\\\d\"@b.example");
  ASSERT_TRUE(quoted);
  EXPECT_EQ(quoted->local, "a b\"c\\d");
  EXPECT_EQ(quoted->text(), "\"a b\\\"c\\\\d\"@b.example");
  const auto needless = parse_mailbox("\"a.\\b\"@b.example");
  ASSERT_TRUE(needless);
  EXPECT_EQ(needless->text(), "a.b@b.example");
  EXPECT_EQ(*needless, *parse_mailbox("a.b@b.example"));
  EXPECT_EQ(parse_mailbox("\"\"@b.example")->text(), "\"\"@b.example");
  EXPECT_EQ(parse_mailbox("\"a@c.example\"@b.example")->text(), "\"a@c.example\"@b.example");
  EXPECT_EQ(parse_mailbox("\"a..b\"@b.example")->text(), "\"a..b\"@b.example");
}

TEST(Address, KeyFoldsCaseAndDomainForms) {
  EXPECT_EQ(parse_mailbox("A.B+C@EXAMPLE.Org")->key(), "a.b+c@example.org");
  EXPECT_EQ(parse_mailbox("J\xC3\x96RG@B\xC3\x9C"
                          "CHER.example")
                ->key(),
            "j\xC3\x96rg@xn--bcher-kva.example");
  // Quoting keeps two addresses apart that would look alike.
  EXPECT_NE(parse_mailbox("\"a b\"@x.example")->key(), parse_mailbox("ab@x.example")->key());
}

TEST(Address, DotsAndCharactersOfTheLocalPart) {
  EXPECT_TRUE(good("a!#$%&'*+-/=?^_`{|}~b@x.example"));
  for (const char* text :
       {".a@x.example", "a.@x.example", "a..b@x.example", "@x.example", "a b@x.example", "a,b@x.example",
        "a(b)@x.example", "a\\b@x.example", "a\"b\"@x.example", "\"a\"b@x.example", "\"a@x.example",
        "\"a\\\"@x.example", "a@b@x.example", "\"a\tb\"@x.example", "\"a\\\tb\"@x.example"}) {
    EXPECT_FALSE(good(text)) << text;
  }
  EXPECT_FALSE(good("a\0b@x.example"s));
  EXPECT_FALSE(good("\"a\0b\"@x.example"s));
  EXPECT_FALSE(good("a\x7F@x.example"));
}

TEST(Address, LengthLimits) {
  const std::string local64(64, 'a');
  EXPECT_TRUE(good(local64 + "@x.example"));
  EXPECT_FALSE(good(local64 + "a@x.example"));
  EXPECT_TRUE(good("\"" + std::string(62, 'a') + "\"@x.example"));
  EXPECT_FALSE(good("\"" + std::string(63, 'a') + "\"@x.example"));
  const std::string label63(63, 'b');
  EXPECT_TRUE(good("a@" + label63 + ".example"));
  EXPECT_FALSE(good("a@" + label63 + "b.example"));
  const std::string domain255 = label63 + "." + label63 + "." + label63 + "." + label63;
  EXPECT_TRUE(parse_domain(domain255));
  EXPECT_FALSE(parse_domain(domain255 + ".c"));
  const std::string domain252 = domain255.substr(0, 252);
  std::string_view rest;
  EXPECT_TRUE(parse_forward_path("<a@" + domain252 + ">", Utf8::refused, rest));
  EXPECT_FALSE(parse_forward_path("<aa@" + domain252 + ">", Utf8::refused, rest));
  EXPECT_FALSE(parse_forward_path("<@x.example:a@" + domain252.substr(0, 245) + ">", Utf8::refused, rest));
}

TEST(Address, Domains) {
  for (const char* text :
       {"example", "EXAMPLE.org", "a-b.example", "1.2.3.4", "xn--bcher-kva.example", "3com.example"}) {
    EXPECT_TRUE(parse_domain(text)) << text;
  }
  for (const char* text :
       {"", ".", "a.", ".a", "a..b", "-a.example", "a-.example", "a_b.example", "a b", "xn---", "a/b"}) {
    EXPECT_FALSE(parse_domain(text)) << text;
  }
  EXPECT_EQ(parse_domain("EXAMPLE.org")->text(), "EXAMPLE.org");
  EXPECT_EQ(parse_domain("EXAMPLE.org")->key(), "example.org");
  EXPECT_EQ(Domain("Example.ORG.").key(), "example.org");
}

TEST(Address, AddressLiterals) {
  for (const char* text :
       {"[192.0.2.1]", "[255.255.255.255]", "[IPv6:2001:db8::1]", "[ipv6:::1]", "[IPv6:::]", "[IPv6:1:2:3:4:5:6:7:8]",
        "[IPv6:1:2:3:4:5:6:192.0.2.1]", "[IPv6:::ffff:192.0.2.1]", "[IPv6:1:2:3:4:5:6::]", "[x400:c=de]"}) {
    EXPECT_TRUE(parse_domain(text)) << text;
  }
  for (const char* text : {"[]",
                           "[192.0.2.256]",
                           "[192.0.2]",
                           "[192.0.2.1",
                           "192.0.2.1]",
                           "[192.0.2.1.5]",
                           "[1920.0.2.1]",
                           "[2001:db8::1",
                           "[IPv6:1:2:3:4:5:6:7]",
                           "[IPv6:1:2:3:4:5:6:7:8:9]",
                           "[IPv6:1::2::3]",
                           "[IPv6:1:2:3:4:5:6:7::]",
                           "[IPv6:12345::]",
                           "[IPv6:g::]",
                           "[IPv6:1:2:3:4:5:6:7:192.0.2.1]",
                           "[IPv6:192.0.2.1::]",
                           "[tag-:x]",
                           "[tag:]",
                           "[:x]",
                           "[tag:a b]",
                           "[[192.0.2.1]]",
                           "[192.0.2.1]x"}) {
    EXPECT_FALSE(parse_domain(text)) << text;
  }
  EXPECT_TRUE(parse_domain("[192.0.2.1]")->is_literal());
  EXPECT_EQ(parse_domain("[IPv6:2001:DB8:0::1]")->key(), parse_domain("[ipv6:2001:db8::1]")->key());
}

TEST(Address, Utf8OnlyWhereAllowedAndStrictly) {
  EXPECT_TRUE(
      good("j\xC3\xB6rg@b\xC3\xBC"
           "cher.example"));
  EXPECT_FALSE(good("j\xC3\xB6rg@example.org", Utf8::refused));
  EXPECT_FALSE(
      good("a@b\xC3\xBC"
           "cher.example",
           Utf8::refused));
  EXPECT_TRUE(good("\"j\xC3\xB6 rg\"@example.org"));
  EXPECT_FALSE(parse_mailbox("j\xC3\xB6rg@example.org")->is_ascii());
  EXPECT_FALSE(parse_mailbox("a@b\xC3\xBC"
                             "cher.example")
                   ->is_ascii());
  EXPECT_TRUE(parse_mailbox("a@b.example")->is_ascii());
  for (const char* text : {"\xC3@x.example", "a\xC0\xAF@x.example", "\xED\xA0\x80@x.example",
                           "\xF4\x90\x80\x80@x.example", "\xE0\x80\xAF@x.example", "\x80@x.example",
                           "\xC2\x85@x.example", "\"\xC2\x85\"@x.example", "a@\xC3", "\xFF@x.example"}) {
    EXPECT_FALSE(good(text)) << text;
  }
}

TEST(Address, InternationalDomains) {
  EXPECT_EQ(parse_domain("\xE4\xBE\x8B\xE5\xAD\x90.example")->key(), "xn--fsqu00a.example");
  EXPECT_EQ(parse_domain("fa\xC3\x9F.example")->key(), "xn--fa-hia.example");  // not "fass": non-transitional
  EXPECT_EQ(*parse_domain("B\xC3\x9C"
                          "CHER.example"),
            *parse_domain("xn--BCHER-kva.EXAMPLE"));
  EXPECT_FALSE(
      parse_domain("a\xE3\x80\x82"
                   "example"));  // an ideographic full stop is no dot
  EXPECT_FALSE(
      parse_domain("\xD7\x90"
                   "a1.example"));  // mixed directions
  EXPECT_FALSE(
      parse_domain("\xCC\x81"
                   "a.example"));  // begins with a combining mark
  std::string wide;
  for (int i = 0; i < 40; ++i) wide += "\xE4\xBE\x8B\xC3\xB6";
  EXPECT_FALSE(parse_domain(wide + ".example"));  // its A-label is too long
}

}  // namespace
}  // namespace doorward::mail
