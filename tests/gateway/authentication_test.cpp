// The checks together, as they are asked about one mail.
#include "gateway/authentication.h"

#include <gtest/gtest.h>

#include "delivery/core_runner.h"
#include "mailauth/dkim_sign.h"
#include "mailauth/made_signature.h"
#include "net/fake_resolver.h"

namespace doorward::gateway {
namespace {

using namespace std::chrono_literals;
using mailauth::Result;

class AuthenticationTest : public testing::Test {
 protected:
  AuthenticationTest() {
    client_.ip = *mail::IpAddress::parse("192.0.2.1");
    client_.helo = "mx.example.org";
    envelope_.from.null = false;
    envelope_.from.mailbox = *mail::parse_mailbox("bounce@example.org");
    names_.ptr("1.2.0.192.in-addr.arpa", "mx.example.org");
    names_.a("mx.example.org", "192.0.2.1");
    names_.txt("example.org", "v=spf1 ip4:192.0.2.1 -all");
    names_.txt("_dmarc.example.org", "v=DMARC1; p=reject");
    names_.txt("s._domainkey.example.org", key_.record());
  }
  std::string signed_by(const std::string& domain, const std::string& raw) {
    mailauth::SignedMail mail{std::string_view(raw)};
    return mailauth::sign_dkim(mail, key_, {.domain = domain, .selector = "s", .now = clock_.now()}) + raw;
  }
  filter::Authentication check(const std::string& raw) {
    const auto message = mime::Message::parse(raw);
    mailauth::SignedMail signed_mail(message);
    Authenticator authenticator(options_, "mx.in.example", clock_, &names_, 1);
    auto log = authenticator.log();
    filter::Authentication found;
    const auto began = std::chrono::steady_clock::now();
    runner_.run([&]() -> Task<void> {
      found = co_await authenticator.check(runner_.core(), {client_, envelope_, message, signed_mail}, log,
                                           authenticator.deadline());
    });
    took_ = std::chrono::steady_clock::now() - began;
    lookups_ = log.entries();
    return found;
  }

  const mailauth::SigningKey key_ = mailauth::SigningKey::read("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=").value();
  RealClock clock_;
  test::CoreRunner runner_;
  net::test::FakeResolver names_;
  AuthenticationOptions options_;
  mail::Client client_;
  mail::Envelope envelope_;
  std::vector<net::LookupEntry> lookups_;
  std::chrono::steady_clock::duration took_{};
};

constexpr const char* kMail = "From: A <a@example.org>\r\nTo: b@in.example\r\nSubject: one\r\n\r\nHello you\r\n";

TEST_F(AuthenticationTest, AMailOfItsOwnDomainIsProvenInEachWay) {
  const auto found = check(signed_by("example.org", kMail));
  EXPECT_EQ(found.spf.result, Result::pass);
  ASSERT_EQ(found.dkim.signatures.size(), 1U);
  EXPECT_EQ(found.dkim.signatures[0].result, Result::pass) << found.dkim.signatures[0].reason;
  EXPECT_EQ(found.dmarc.result, Result::pass);
  EXPECT_TRUE(found.dmarc.spf_aligned && found.dmarc.dkim_aligned);
  EXPECT_EQ(found.iprev.result, Result::pass);
  EXPECT_EQ(lookups_.size(), 5U) << "the address's name and back, the SPF record, the key, the policy: each once";
}

// Whoever has one of its mails may add to the end what he likes, and send it from anywhere.
TEST_F(AuthenticationTest, ASignatureOfABeginningProvesNobodyThoughDmarcPasses) {
  client_.ip = *mail::IpAddress::parse("198.51.100.9");
  const mailauth::SignedMail mail{std::string_view(kMail)};
  const std::string hash =
      mailauth::base64_text(mailauth::hash_body("Hello you\r\n", mailauth::Canonical::relaxed, 5).hash);
  const mailauth::test::Tags tags{{"l", "5"}, {"s", "s"}};
  auto found = check(mailauth::test::sign_with(key_, kMail, tags, "from", hash) + "and buy this\r\n");
  EXPECT_EQ(found.dmarc.result, Result::pass);
  EXPECT_FALSE(found.dmarc.whole);
  EXPECT_FALSE(filter::Facts{.authentication = found}.proves("example.org"));
  found = check(signed_by("example.org", kMail));
  EXPECT_EQ(found.dmarc.result, Result::pass);
  EXPECT_TRUE(found.dmarc.whole);
  EXPECT_TRUE(filter::Facts{.authentication = found}.proves("example.org"));
}

// Whoever forges an author picks the other domains of the mail, and their name servers.
TEST_F(AuthenticationTest, SilentNameServersOfTheForgerHideNothingOfTheAuthor) {
  options_.deadline = 600ms;
  client_.ip = *mail::IpAddress::parse("198.51.100.9");
  envelope_.from.mailbox = *mail::parse_mailbox("x@silent.example");
  names_.delay("silent.example", net::DnsType::txt, 10s);
  auto found = check(kMail);
  EXPECT_EQ(found.spf.result, Result::temperror);
  EXPECT_EQ(found.dmarc.result, Result::fail);
  EXPECT_LT(took_, 1s);
  // Nor does a mail with so much to ask that nothing is left for its author.
  options_.lookups = 22;
  std::string record = "v=spf1";
  for (int i = 0; i < 9; ++i) record += " exists:e" + std::to_string(i) + ".wide.example";
  names_.txt("wide.example", record + " -all");
  for (int i = 0; i < 9; ++i) names_.a("e" + std::to_string(i) + ".wide.example", "127.0.0.2");
  envelope_.from.mailbox = *mail::parse_mailbox("x@wide.example");
  found = check(kMail);
  EXPECT_EQ(found.dmarc.result, Result::fail);
}

TEST_F(AuthenticationTest, AForgeryIsFoundOut) {
  client_.ip = *mail::IpAddress::parse("198.51.100.9");
  const auto found = check(kMail);
  EXPECT_EQ(found.spf.result, Result::fail);
  EXPECT_TRUE(found.dkim.signatures.empty());
  EXPECT_EQ(found.dmarc.result, Result::fail);
  EXPECT_EQ(found.dmarc.policy, mailauth::DmarcPolicy::reject);
}

// Two From fields: what one mail program shows is not what another does.
TEST_F(AuthenticationTest, EveryAuthorIsLookedAt) {
  names_.txt("evil.example", "v=spf1 ip4:192.0.2.1 -all");
  envelope_.from.mailbox = *mail::parse_mailbox("x@evil.example");
  const auto found = check(std::string("From: x@evil.example\r\n") + kMail);
  EXPECT_EQ(found.spf.result, Result::pass);
  EXPECT_EQ(found.dmarc.result, Result::fail);
  EXPECT_TRUE(found.dmarc.several_authors);
}

TEST_F(AuthenticationTest, AnAddressWithoutADomainIsAnAuthorToo) {
  envelope_.from.mailbox = *mail::parse_mailbox("x@example.org");
  EXPECT_EQ(check(kMail).dmarc.result, Result::pass);
  const auto found = check("From: <service>, <x@example.org>\r\nTo: b@in.example\r\n\r\nHello\r\n");
  EXPECT_EQ(found.dmarc.result, Result::permerror);
  EXPECT_TRUE(found.dmarc.several_authors);
}

TEST_F(AuthenticationTest, OfOurOwnNetworksNoRecordOfStrangersSpeaks) {
  options_.local_networks = {*mail::Network::parse("192.0.2.0/24")};
  names_.txt("example.org", "v=spf1 -all");
  const auto found = check(signed_by("example.org", kMail));
  EXPECT_FALSE(found.spf_asked);
  EXPECT_EQ(found.spf.result, Result::none);
  EXPECT_EQ(found.dmarc.result, Result::none);
  EXPECT_TRUE(found.dkim.passed());
}

TEST_F(AuthenticationTest, ADeadDnsEndsAtTheDeadlineOfAllTogether) {
  names_.die();
  options_.deadline = 300ms;
  const auto found = check(signed_by("example.org", kMail));
  EXPECT_EQ(found.spf.result, Result::temperror);
  EXPECT_EQ(found.dkim.signatures.at(0).result, Result::temperror);
  EXPECT_EQ(found.dmarc.result, Result::temperror);
  EXPECT_GE(took_, 300ms);
  EXPECT_LT(took_, 2s) << "side by side, and not one after the other";
}

TEST_F(AuthenticationTest, TheBudgetOfQuestionsHolds) {
  options_.lookups = 1;
  check(signed_by("example.org", kMail));
  EXPECT_EQ(lookups_.size(), 1U);
  EXPECT_EQ(names_.asked(), 1U);
}

}  // namespace
}  // namespace doorward::gateway
