// What the suites leave out: limits to the letter, internationalised addresses, failing name servers, and what the
// outcome says about itself.
#include "mailauth/spf.h"

#include <gtest/gtest.h>

#include "delivery/core_runner.h"
#include "net/fake_resolver.h"

namespace doorward::mailauth {
namespace {

using namespace std::chrono_literals;

class SpfTest : public testing::Test {
 public:
  SpfOutcome check(std::string sender, std::string_view ip = "192.0.2.1", std::string helo = "client.example.org") {
    options_.deadline = std::chrono::steady_clock::now() + patience_;
    SpfRequest request;
    request.ip = mail::IpAddress::parse(ip).value();
    request.sender = std::move(sender);
    request.helo = std::move(helo);
    SpfOutcome outcome;
    runner_.run([&]() -> Task<void> { outcome = co_await check_spf(runner_.core(), dns_, request, options_); });
    return outcome;
  }

  net::test::FakeResolver dns_;
  SpfOptions options_;
  std::chrono::milliseconds patience_ = 10s;

 private:
  doorward::test::CoreRunner runner_;
};

TEST_F(SpfTest, SaysWhatDecided) {
  dns_.txt("example.com", "v=spf1 a include:spf.example.net -all");
  dns_.a("example.com", "192.0.2.99");
  dns_.txt("spf.example.net", "v=spf1 include:deep.example.net ~all");
  dns_.txt("deep.example.net", "v=spf1 ip4:192.0.2.0/28 -all");
  const SpfOutcome pass = check("x@Example.COM");
  EXPECT_EQ(pass.result, Result::pass);
  EXPECT_EQ(pass.domain, "example.com");
  EXPECT_EQ(pass.record_domain, "example.com");
  EXPECT_EQ(pass.mechanism, "include:spf.example.net");
  EXPECT_EQ(pass.evidence,
            "include:spf.example.net of Example.COM, include:deep.example.net of spf.example.net, "
            "ip4:192.0.2.0/28 of deep.example.net");
  EXPECT_EQ(pass.terms, 3U);
  EXPECT_EQ(pass.queries, 4U);
  EXPECT_EQ(pass.voids, 0U);
  EXPECT_FALSE(pass.dns);
  const SpfOutcome fail = check("x@example.com", "198.51.100.1");
  EXPECT_EQ(fail.result, Result::fail);
  EXPECT_EQ(fail.mechanism, "-all");
  EXPECT_EQ(fail.evidence, "-all of example.com");
}

TEST_F(SpfTest, NamesTheRecordBehindARedirect) {
  dns_.txt("example.com", "v=spf1 redirect=_spf.example.net");
  dns_.txt("_spf.example.net", "v=spf1 ?all");
  const SpfOutcome outcome = check("x@example.com");
  EXPECT_EQ(outcome.result, Result::neutral);
  EXPECT_EQ(outcome.domain, "example.com");
  EXPECT_EQ(outcome.record_domain, "_spf.example.net");
  EXPECT_EQ(outcome.mechanism, "?all");
}

TEST_F(SpfTest, SaysWhatIsWrongWithARecord) {
  dns_.txt("example.com", "v=spf1 a:museum -all");
  const SpfOutcome outcome = check("x@example.com");
  EXPECT_EQ(outcome.result, Result::permerror);
  EXPECT_EQ(outcome.evidence, "\"a:museum\": malformed in the record of example.com");
  EXPECT_FALSE(outcome.dns);
  EXPECT_EQ(check("x@nowhere.example").evidence, "no record at nowhere.example");
}

TEST_F(SpfTest, TheNullPathIsThePostmasterOfTheHeloName) {
  dns_.txt("client.example.org", "v=spf1 exists:%{l}.%{o} -all");
  dns_.a("postmaster.client.example.org", "127.0.0.1");
  const SpfOutcome outcome = check("");
  EXPECT_EQ(outcome.result, Result::pass);
  EXPECT_EQ(outcome.domain, "client.example.org");
  EXPECT_EQ(check("", "192.0.2.1", "[192.0.2.1]").result, Result::none);
  EXPECT_EQ(check("", "192.0.2.1", "localhost").result, Result::none);
  EXPECT_EQ(check("", "192.0.2.1", "").result, Result::none);
}

TEST_F(SpfTest, MappedAddressesAreIpv4) {
  dns_.txt("example.com", "v=spf1 ip6:::/0 ip4:192.0.2.1 -all");
  EXPECT_EQ(check("x@example.com", "::ffff:192.0.2.1").mechanism, "ip4:192.0.2.1");
  dns_.txt("six.example.com", "v=spf1 a//64 -all");
  dns_.a("six.example.com", "192.0.2.1");
  dns_.aaaa("six.example.com", "2001:db8::1");
  EXPECT_EQ(check("x@six.example.com", "2001:db8::2").result, Result::pass);
  EXPECT_EQ(check("x@six.example.com", "2001:db8:0:1::2").result, Result::fail);
}

TEST_F(SpfTest, TenTermsAndNoMore) {
  std::string record = "v=spf1";
  for (int i = 0; i < 10; ++i) record += " exists:e" + std::to_string(i) + ".example.com";
  for (int i = 0; i < 10; ++i) dns_.mx("e" + std::to_string(i) + ".example.com", 0, "x.example");  // no A: void
  options_.voids = 20;
  dns_.txt("ten.example.com", record + " +all");
  EXPECT_EQ(check("x@ten.example.com").result, Result::pass);
  dns_.txt("eleven.example.com", record + " a +all");
  const SpfOutcome eleven = check("x@eleven.example.com");
  EXPECT_EQ(eleven.result, Result::permerror);
  EXPECT_EQ(eleven.terms, 10U);
  EXPECT_EQ(eleven.voids, 10U);
  options_.voids = 2;
  const SpfOutcome voids = check("x@ten.example.com");
  EXPECT_EQ(voids.result, Result::permerror);
  EXPECT_EQ(voids.evidence, "too many lookups that came back empty (RFC 7208 4.6.4)");
  EXPECT_EQ(voids.queries, 4U);
}

TEST_F(SpfTest, VoidsAreCountedByTerm) {
  // Five exchanges without AAAA are one term that brought nothing, and the limit is two terms.
  dns_.txt("example.com", "v=spf1 mx ip6:2001:db8::/32 -all");
  for (int i = 0; i < 5; ++i) {
    dns_.mx("example.com", 10, "mx" + std::to_string(i) + ".example.com");
    dns_.a("mx" + std::to_string(i) + ".example.com", "192.0.2.7");
  }
  const SpfOutcome outcome = check("x@example.com", "2001:db8::1");
  EXPECT_EQ(outcome.result, Result::pass);
  EXPECT_EQ(outcome.voids, 1U);
  EXPECT_EQ(outcome.queries, 7U);
}

TEST_F(SpfTest, AFailingExchangeCountsOnlyWhereNoneBeforeItMatches) {
  dns_.txt("example.com", "v=spf1 mx -all");
  dns_.mx("example.com", 20, "dead.example.com");
  dns_.mx("example.com", 10, "mx.example.com");
  dns_.a("mx.example.com", "192.0.2.1");
  dns_.status("dead.example.com", net::DnsType::a, net::DnsStatus::servfail);
  EXPECT_EQ(check("x@example.com").result, Result::pass);
  const SpfOutcome other = check("x@example.com", "192.0.2.2");
  EXPECT_EQ(other.result, Result::temperror);
  EXPECT_TRUE(other.dns);
  EXPECT_EQ(other.evidence, "DNS: servfail for dead.example.com");
  EXPECT_EQ(other.mechanism, "mx");
}

TEST_F(SpfTest, ForgedAnswersAreErrorsOfTheDns) {
  dns_.status("example.com", net::DnsType::txt, net::DnsStatus::bogus);
  const SpfOutcome outcome = check("x@example.com");
  EXPECT_EQ(outcome.result, Result::temperror);
  EXPECT_TRUE(outcome.dns);
}

TEST_F(SpfTest, TheDeadlineHoldsForAllTogether) {
  patience_ = 120ms;
  dns_.txt("example.com", "v=spf1 a:a.example.com a:b.example.com a:c.example.com -all");
  for (const char* name : {"a.example.com", "b.example.com", "c.example.com"}) {
    dns_.a(name, "192.0.2.200");
    dns_.delay(name, net::DnsType::a, 50ms);
  }
  const auto start = std::chrono::steady_clock::now();
  const SpfOutcome outcome = check("x@example.com");
  EXPECT_EQ(outcome.result, Result::temperror);
  EXPECT_TRUE(outcome.dns);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
  EXPECT_EQ(dns_.asked("c.example.com", net::DnsType::a), 1U);
}

TEST_F(SpfTest, TheBudgetOfQuestionsHolds) {
  dns_.txt("example.com", "v=spf1 mx -all");
  for (int i = 0; i < 10; ++i) {
    dns_.mx("example.com", 10, "mx" + std::to_string(i) + ".example.com");
    dns_.a("mx" + std::to_string(i) + ".example.com", "192.0.2.7");
  }
  options_.queries = 5;
  options_.explain = false;
  const SpfOutcome outcome = check("x@example.com");
  EXPECT_EQ(outcome.result, Result::permerror);
  EXPECT_EQ(outcome.queries, 5U);
  EXPECT_EQ(dns_.asked(), 5U);
}

TEST_F(SpfTest, IncludesInACircleEnd) {
  dns_.txt("example.com", "v=spf1 include:example.net -all");
  dns_.txt("example.net", "v=spf1 include:example.com -all");
  const SpfOutcome outcome = check("x@example.com");
  EXPECT_EQ(outcome.result, Result::permerror);
  EXPECT_EQ(outcome.terms, 10U);
}

TEST_F(SpfTest, InternationalNamesAreALabels) {  // RFC 8616 §4
  dns_.txt("xn--bcher-kva.example", "v=spf1 exists:%{d}.list.example exists:%{h}.list.example -all");
  dns_.a("xn--bcher-kva.example.list.example", "127.0.0.1");
  const SpfOutcome outcome = check("x@b\xC3\xBC\x63her.example");
  EXPECT_EQ(outcome.result, Result::pass);
  EXPECT_EQ(outcome.domain, "xn--bcher-kva.example");
  dns_.txt("example.com", "v=spf1 exists:%{h}.list.example -all");
  EXPECT_EQ(check("x@example.com", "192.0.2.1", "b\xC3\xBC\x63her.example").result, Result::pass);
  EXPECT_EQ(check("x@_a.b\xC3\xBC\x63her.example").domain, "_a.xn--bcher-kva.example");
  EXPECT_EQ(check("x@bad\xFF.example").result, Result::none);
  EXPECT_EQ(check("x@a\xE3\x80\x82"
                  "b.example")
                .result,
            Result::none);  // an ideographic full stop ends no label
}

TEST_F(SpfTest, TermsWithALocalPartBeyondAsciiMatchNothing) {  // RFC 8616 §4
  dns_.txt("example.com",
           "v=spf1 exists:%{l}.list.example -exists:%{S}.list.example include:%{l}.x.example a:ok.example -all");
  dns_.a("ok.example", "192.0.2.1");
  const SpfOutcome outcome = check("b\xC3\xBC\x63her@example.com");
  EXPECT_EQ(outcome.result, Result::pass);
  EXPECT_EQ(outcome.mechanism, "a:ok.example");
  EXPECT_EQ(outcome.queries, 2U);  // nobody was asked for them
  dns_.txt("redirect.example.com", "v=spf1 redirect=%{l}.example");
  EXPECT_EQ(check("b\xC3\xBC\x63her@redirect.example.com").result, Result::permerror);
}

TEST_F(SpfTest, OddOctetsOfALocalPartStayThemselves) {
  dns_.txt("example.com", "v=spf1 exists:%{l}.list.example -all");
  dns_.a("a\\092046b.list.example", "127.0.0.1");  // a\046b: a backslash is one, and begins no escape
  EXPECT_EQ(check("a\\046b@example.com").result, Result::pass);
  EXPECT_EQ(check("a.b@example.com").result, Result::fail);
}

TEST_F(SpfTest, ExplainsAFail) {
  dns_.txt("example.com", "v=spf1 exp=why.%{d} -all");
  dns_.txt("why.example.com", "%{i} is no host of %{d}, says %{r}");
  options_.receiver = "in.example.net";
  EXPECT_EQ(check("x@example.com").explanation, "192.0.2.1 is no host of example.com, says in.example.net");
  options_.explain = false;
  const SpfOutcome silent = check("x@example.com");
  EXPECT_EQ(silent.explanation, "");
  EXPECT_EQ(silent.queries, 1U);
}

TEST_F(SpfTest, NoExplanationWhereTheDnsFails) {
  dns_.txt("example.com", "v=spf1 exp=why.example.com -all");
  dns_.status("why.example.com", net::DnsType::txt, net::DnsStatus::servfail);
  const SpfOutcome outcome = check("x@example.com");
  EXPECT_EQ(outcome.result, Result::fail);
  EXPECT_EQ(outcome.explanation, "");
  EXPECT_FALSE(outcome.dns);
}

TEST_F(SpfTest, PointersThatCouldNotMatchAreNotValidated) {
  dns_.txt("example.com", "v=spf1 ptr -all");
  for (int i = 0; i < 9; ++i) dns_.ptr("1.2.0.192.in-addr.arpa", "h" + std::to_string(i) + ".elsewhere.example");
  dns_.ptr("1.2.0.192.in-addr.arpa", "mail.example.com");
  dns_.ptr("1.2.0.192.in-addr.arpa", "eleventh.example.com");
  dns_.a("mail.example.com", "192.0.2.1");
  EXPECT_EQ(check("x@example.com").result, Result::pass);
  EXPECT_EQ(dns_.asked("h1.elsewhere.example", net::DnsType::a), 0U);
  EXPECT_EQ(dns_.asked("eleventh.example.com", net::DnsType::a), 0U);  // ten are looked at, and no more
}

TEST_F(SpfTest, NamesOfTheClientAreAskedForOnce) {
  dns_.txt("example.com", "v=spf1 ptr:a.example exists:%{p}.x.example exists:%{p}.y.example ptr:b.example -all");
  dns_.ptr("1.2.0.192.in-addr.arpa", "mail.example.com");
  dns_.a("mail.example.com", "192.0.2.1");
  options_.voids = 4;
  EXPECT_EQ(check("x@example.com").result, Result::fail);
  EXPECT_EQ(dns_.asked("1.2.0.192.in-addr.arpa", net::DnsType::ptr), 1U);
  EXPECT_EQ(dns_.asked("mail.example.com", net::DnsType::a), 1U);
  EXPECT_EQ(dns_.asked("mail.example.com.x.example", net::DnsType::a), 1U);
}

TEST_F(SpfTest, StrangersOctetsAreNotShown) {
  dns_.txt("example.com", "v=spf1 \x01\x9F" + std::string(5000, 'x') + " -all");
  const SpfOutcome outcome = check("x@example.com");
  EXPECT_EQ(outcome.result, Result::permerror);
  EXPECT_LE(outcome.evidence.size(), 300U);
  EXPECT_TRUE(outcome.evidence.starts_with("\"??xxx")) << outcome.evidence;
}

}  // namespace
}  // namespace doorward::mailauth
