// The examples of RFC 9989 (§4.10, §5.1.7 and appendix B), and what its text says beside them.
#include "mailauth/dmarc.h"

#include <gtest/gtest.h>

#include "delivery/core_runner.h"
#include "mailauth/dmarc_walk.h"
#include "net/fake_resolver.h"

namespace doorward::mailauth {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string_view>;

TEST(DmarcWalk, AsksAtEightNamesAtMost) {
  EXPECT_EQ(dmarc_walk_targets("a.b.c.d.e.f.g.h.i.j.mail.example.com"),
            (Names{"a.b.c.d.e.f.g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com", "h.i.j.mail.example.com",
                   "i.j.mail.example.com", "j.mail.example.com", "mail.example.com", "example.com", "com"}));
  EXPECT_EQ(dmarc_walk_targets("mail.a.b.c.d.e.f.g.example.com"),
            (Names{"mail.a.b.c.d.e.f.g.example.com", "c.d.e.f.g.example.com", "d.e.f.g.example.com",
                   "e.f.g.example.com", "f.g.example.com", "g.example.com", "example.com", "com"}));
  EXPECT_EQ(dmarc_walk_targets("1.2.3.4.5.6.7.8").size(), 8U);
  EXPECT_EQ(dmarc_walk_targets("1.2.3.4.5.6.7.8")[1], "2.3.4.5.6.7.8");
  EXPECT_EQ(dmarc_walk_targets("a.mail.example.com"),
            (Names{"a.mail.example.com", "mail.example.com", "example.com", "com"}));
  EXPECT_EQ(dmarc_walk_targets("com"), Names{"com"});
}

class DmarcTest : public testing::Test {
 public:
  DmarcTest() { request_.authors = {"example.com"}; }

  // A name that has a DMARC record exists.
  void record(const std::string& domain, const std::string& tags) {
    dns_.txt("_dmarc." + domain, "v=DMARC1; " + tags);
    dns_.a(domain, "192.0.2.1");
  }
  void author(std::string domain) { request_.authors = {std::move(domain)}; }
  void spf(std::string domain, Result result = Result::pass) {
    request_.spf = result;
    request_.spf_domain = std::move(domain);
  }
  void dkim(std::string domain, Result result = Result::pass) { request_.signatures.push_back({result, domain}); }
  DmarcOutcome check() {
    options_.deadline = std::chrono::steady_clock::now() + 10s;
    DmarcOutcome outcome;
    runner_.run([&]() -> Task<void> { outcome = co_await check_dmarc(runner_.core(), dns_, request_, options_); });
    return outcome;
  }
  std::string organization(const std::string& domain) {
    std::string result;
    runner_.run([&]() -> Task<void> {
      const SteadyTime deadline = std::chrono::steady_clock::now() + 10s;
      DmarcWalk walk = co_await start_dmarc_walk(runner_.core(), dns_, domain, deadline);
      walk = co_await finish_dmarc_walk(runner_.core(), dns_, std::move(walk), deadline);
      result = walk.organizational_domain();
    });
    return result;
  }

  net::test::FakeResolver dns_;
  DmarcRequest request_;
  DmarcOptions options_;

 private:
  doorward::test::CoreRunner runner_;
};

TEST_F(DmarcTest, FindsTheOrganisation) {
  EXPECT_EQ(organization("a.mail.example.com"), "a.mail.example.com");  // no record anywhere
  record("mail.example.com", "p=none");
  record("example.com", "p=none");
  EXPECT_EQ(organization("a.mail.example.com"), "example.com");
  record("mail.example.net", "p=none; psd=n");
  record("example.net", "p=none");
  EXPECT_EQ(organization("a.mail.example.net"), "mail.example.net");
  record("org", "p=none; psd=y");
  EXPECT_EQ(organization("a.mail.example.org"), "example.org");
  EXPECT_EQ(organization("example.org"), "example.org");
  EXPECT_EQ(organization("org"), "org");  // its own psd=y makes nothing of what is below
}

TEST_F(DmarcTest, SeveralRecordsAtANameAreNone) {
  record("example.com", "p=reject");
  record("example.com", "p=none");
  EXPECT_EQ(check().result, Result::none);
  dns_.txt("_dmarc.example.net", "something else");
  record("example.net", "p=reject");
  author("example.net");
  EXPECT_EQ(check().policy, DmarcPolicy::reject);
}

TEST_F(DmarcTest, StrictAndRelaxedAlignment) {  // appendix B.1
  record("example.com", "p=reject; aspf=s; adkim=s");
  spf("example.com");
  DmarcOutcome outcome = check();
  EXPECT_EQ(outcome.result, Result::pass);
  EXPECT_TRUE(outcome.spf_aligned);
  EXPECT_FALSE(outcome.dkim_aligned);
  EXPECT_EQ(outcome.evidence, "SPF of example.com for example.com");
  EXPECT_EQ(outcome.policy, DmarcPolicy::none);
  EXPECT_EQ(outcome.queries, 1U);
  spf("child.example.com");
  outcome = check();
  EXPECT_EQ(outcome.result, Result::fail);
  EXPECT_EQ(outcome.policy, DmarcPolicy::reject);
  EXPECT_EQ(outcome.queries, 1U);  // no walk for strict alignment
  dkim("Example.COM");
  outcome = check();
  EXPECT_EQ(outcome.result, Result::pass);
  EXPECT_TRUE(outcome.dkim_aligned);
}

TEST_F(DmarcTest, TellsWhetherWhatProvedItCoversTheWholeMail) {
  record("example.com", "p=reject");
  request_.signatures.push_back({Result::pass, "example.com", false});
  EXPECT_EQ(check().result, Result::pass);
  EXPECT_FALSE(check().whole);
  dkim("example.com");
  EXPECT_TRUE(check().whole) << "another signature does";
  request_.signatures.pop_back();
  spf("example.com");
  EXPECT_TRUE(check().whole);
}

TEST_F(DmarcTest, RelaxedAlignmentGoesBothWays) {
  record("example.com", "p=reject");
  author("child.example.com");
  dkim("example.com");
  EXPECT_EQ(check().result, Result::pass);
  author("example.com");
  request_.signatures.clear();
  dkim("child.example.com");
  EXPECT_EQ(check().result, Result::pass);
  request_.signatures.clear();
  dkim("example.net");
  const DmarcOutcome outcome = check();
  EXPECT_EQ(outcome.result, Result::fail);
  EXPECT_EQ(dns_.asked("_dmarc.example.net", net::DnsType::txt), 0U);  // it could not be below example.com
  request_.signatures = {{Result::pass, "com"}};
  EXPECT_EQ(check().result, Result::fail);
  request_.signatures = {{Result::pass, "notexample.com"}};
  EXPECT_EQ(check().result, Result::fail);
}

TEST_F(DmarcTest, OnlyWhatPassedCounts) {
  record("example.com", "p=quarantine");
  for (const Result result :
       {Result::none, Result::fail, Result::softfail, Result::neutral, Result::permerror, Result::policy}) {
    spf("example.com", result);
    request_.signatures = {{result, "example.com"}};
    const DmarcOutcome outcome = check();
    EXPECT_EQ(outcome.result, Result::fail) << text(result);
    EXPECT_EQ(outcome.policy, DmarcPolicy::quarantine);
  }
}

TEST_F(DmarcTest, SimpleExample) {  // appendix B.4.1
  record("example.com", "p=reject");
  record("signing.example.com", "p=reject");
  spf("example.com");
  dkim("signing.example.com");
  const DmarcOutcome outcome = check();
  EXPECT_EQ(outcome.result, Result::pass);
  EXPECT_TRUE(outcome.spf_aligned && outcome.dkim_aligned);
  EXPECT_EQ(outcome.organizational_domain, "example.com");
}

TEST_F(DmarcTest, DeepExample) {  // appendix B.4.2
  record("example.com", "p=reject; sp=quarantine");
  record("signing.example.com", "p=reject");
  author("a.b.c.d.e.f.g.h.i.j.k.example.com");
  dns_.a("a.b.c.d.e.f.g.h.i.j.k.example.com", "192.0.2.1");
  DmarcOutcome outcome = check();
  EXPECT_EQ(outcome.result, Result::fail);
  EXPECT_EQ(outcome.policy, DmarcPolicy::quarantine);
  EXPECT_EQ(outcome.policy_domain, "example.com");
  EXPECT_EQ(outcome.queries, 8U);
  spf("example.com");
  dkim("signing.example.com");
  outcome = check();
  EXPECT_TRUE(outcome.spf_aligned && outcome.dkim_aligned);
}

TEST_F(DmarcTest, PublicSuffixExample) {  // appendix B.4.3
  record("bank.example", "p=reject; psd=y");
  record("giant.bank.example", "p=quarantine");
  author("giant.bank.example");
  dkim("mail.mega.bank.example");
  DmarcOutcome outcome = check();
  EXPECT_EQ(outcome.result, Result::fail);
  EXPECT_EQ(outcome.policy, DmarcPolicy::quarantine);
  EXPECT_EQ(outcome.organizational_domain, "giant.bank.example");
  spf("mail.giant.bank.example");
  outcome = check();
  EXPECT_EQ(outcome.result, Result::pass);
  EXPECT_TRUE(outcome.spf_aligned);
  EXPECT_FALSE(outcome.dkim_aligned);
  // The neighbour has no record: that of the public suffix applies to it, as to a domain below.
  author("mega.bank.example");
  request_.spf = Result::none;
  request_.signatures.clear();
  dns_.a("mega.bank.example", "192.0.2.1");
  outcome = check();
  EXPECT_EQ(outcome.policy, DmarcPolicy::reject);
  EXPECT_EQ(outcome.policy_domain, "bank.example");
  EXPECT_EQ(outcome.organizational_domain, "mega.bank.example");
}

TEST_F(DmarcTest, ARecordBetweenAuthorAndOrganisationIsNotTheirs) {
  record("mail.example.com", "p=none");
  record("example.com", "p=reject");
  author("a.mail.example.com");
  dns_.a("a.mail.example.com", "192.0.2.1");
  EXPECT_EQ(check().policy_domain, "example.com");
}

TEST_F(DmarcTest, SubdomainsHavePoliciesOfTheirOwn) {
  record("example.com", "p=none; sp=quarantine; np=reject");
  author("there.example.com");
  dns_.mx("there.example.com", 0, "mx.example.com");  // no A, and yet it exists
  EXPECT_EQ(check().policy, DmarcPolicy::quarantine);
  author("nowhere.example.com");
  EXPECT_EQ(check().policy, DmarcPolicy::reject);
  author("example.com");
  EXPECT_EQ(check().result, Result::fail);
  EXPECT_EQ(check().policy, DmarcPolicy::none);
  record("example.net", "p=reject; sp=none");
  author("nowhere.example.net");
  EXPECT_EQ(check().policy, DmarcPolicy::none);  // without np=, sp= it is
  record("example.org", "p=reject");
  author("nowhere.example.org");
  EXPECT_EQ(check().policy, DmarcPolicy::reject);
}

TEST_F(DmarcTest, TestingIsOneStepMilder) {
  record("example.com", "p=reject; t=y; pct=0");
  DmarcOutcome outcome = check();
  EXPECT_EQ(outcome.policy, DmarcPolicy::quarantine);
  EXPECT_EQ(outcome.published, DmarcPolicy::reject);
  record("example.net", "p=quarantine; t=y");
  author("example.net");
  EXPECT_EQ(check().policy, DmarcPolicy::none);
  record("example.org", "p=reject; pct=0");  // pct is history
  author("example.org");
  EXPECT_EQ(check().policy, DmarcPolicy::reject);
}

TEST_F(DmarcTest, AMalformedPolicyIsNoneWhereReportsAreWanted) {
  record("example.com", "p=rejet; sp=reject; rua=mailto:r@example.com");
  DmarcOutcome outcome = check();
  EXPECT_EQ(outcome.result, Result::fail);
  EXPECT_EQ(outcome.policy, DmarcPolicy::none);
  record("example.net", "p=rejet");
  author("example.net");
  outcome = check();
  EXPECT_EQ(outcome.result, Result::permerror);
  EXPECT_EQ(outcome.policy, DmarcPolicy::none);
  record("example.org", "adkim=s");
  author("example.org");
  outcome = check();
  EXPECT_EQ(outcome.result, Result::none);
  EXPECT_EQ(outcome.evidence, "the record of example.org has no policy");
}

TEST_F(DmarcTest, FailingNameServersLeaveItOpen) {
  dns_.status("_dmarc.example.com", net::DnsType::txt, net::DnsStatus::servfail);
  DmarcOutcome outcome = check();
  EXPECT_EQ(outcome.result, Result::temperror);
  EXPECT_TRUE(outcome.dns);
  EXPECT_EQ(outcome.evidence, "DNS: servfail for _dmarc.example.com");
  author("mail.example.com");  // the failure is on its way up
  EXPECT_EQ(check().result, Result::temperror);
  record("mail.example.com", "p=reject");
  dkim("mail.example.com");  // and does not matter where the domains are the same
  EXPECT_EQ(check().result, Result::pass);
  request_.signatures = {{Result::pass, "other.example.com"}};
  EXPECT_EQ(check().result, Result::temperror);
}

TEST_F(DmarcTest, AFailureBehindThePublicSuffixIsNone) {
  record("bank.example", "p=reject; psd=y");
  dns_.status("_dmarc.example", net::DnsType::txt, net::DnsStatus::timeout);
  author("giant.bank.example");
  EXPECT_EQ(check().policy, DmarcPolicy::reject);
}

TEST_F(DmarcTest, TemporaryErrorsCountOfAlignedDomainsAlone) {
  record("example.com", "p=reject");
  spf("example.com", Result::temperror);
  DmarcOutcome outcome = check();
  EXPECT_EQ(outcome.result, Result::temperror);
  EXPECT_EQ(outcome.policy, DmarcPolicy::none);
  // A stranger's key that cannot be fetched must not keep the owner's policy away.
  spf("attacker.example", Result::temperror);
  dkim("attacker.example", Result::temperror);
  outcome = check();
  EXPECT_EQ(outcome.result, Result::fail);
  EXPECT_EQ(outcome.policy, DmarcPolicy::reject);
}

TEST_F(DmarcTest, AuthorsAreDomains) {
  for (const std::vector<std::string>& authors :
       std::vector<std::vector<std::string>>{{}, {""}, {"[192.0.2.1]"}, {"bad\xFF.example"}}) {
    request_.authors = authors;
    const DmarcOutcome outcome = check();
    EXPECT_EQ(outcome.result, Result::none);
    EXPECT_EQ(outcome.evidence, "no author's domain");
  }
  record("xn--bcher-kva.example", "p=reject");
  author("B\xC3\xBC\x63her.example");
  EXPECT_EQ(check().author_domain, "xn--bcher-kva.example");
  EXPECT_EQ(check().policy, DmarcPolicy::reject);
}

TEST_F(DmarcTest, OfSeveralAuthorsTheWorstCounts) {  // §10.5
  record("attacker.example", "p=none");
  record("bank.example", "p=reject");
  dkim("attacker.example");
  request_.authors = {"attacker.example", "Attacker.example"};
  EXPECT_FALSE(check().several_authors);
  request_.authors = {"attacker.example", "bank.example"};
  DmarcOutcome outcome = check();
  EXPECT_TRUE(outcome.several_authors);
  EXPECT_EQ(outcome.result, Result::fail);
  EXPECT_EQ(outcome.policy, DmarcPolicy::reject);
  EXPECT_EQ(outcome.author_domain, "bank.example");
  request_.authors.clear();
  for (int i = 0; i < 6; ++i) {
    const std::string domain = "d" + std::to_string(i) + ".attacker.example";
    dns_.a(domain, "192.0.2.1");
    request_.authors.push_back(domain);
  }
  outcome = check();
  EXPECT_EQ(outcome.result, Result::permerror);
  EXPECT_EQ(outcome.evidence, "too many authors' domains");
}

TEST_F(DmarcTest, AnAuthorWithoutADomainSpoilsTheProofOfTheOthers) {  // §10.5
  record("attacker.example", "p=none");
  dkim("attacker.example");
  request_.authors = {"attacker.example"};
  EXPECT_EQ(check().result, Result::pass);
  for (const char* other : {"", "[192.0.2.1]", "bank..example", "bad\xFF.example"}) {
    request_.authors = {"attacker.example", other};
    const DmarcOutcome outcome = check();
    EXPECT_EQ(outcome.result, Result::permerror) << other;
    EXPECT_TRUE(outcome.several_authors) << other;
    EXPECT_EQ(outcome.evidence, "an author without a valid domain beside others");
  }
  record("bank.example", "p=reject");
  request_.authors = {"bank.example", "[192.0.2.1]"};
  EXPECT_EQ(check().result, Result::fail) << "what fails stays as bad as it is";
}

TEST_F(DmarcTest, ReachesNoFurtherThanEightLabels) {  // §5.1.7: the record at the zone cut is never seen
  record("b.c.d.e.f.g.example.com", "p=reject; psd=n");
  record("example.com", "p=quarantine");
  author("mail.a.b.c.d.e.f.g.example.com");
  dns_.a("mail.a.b.c.d.e.f.g.example.com", "192.0.2.1");
  const DmarcOutcome outcome = check();
  EXPECT_EQ(outcome.policy_domain, "example.com");
}

}  // namespace
}  // namespace doorward::mailauth
