#include "filter/level_of_trust.h"

#include <gtest/gtest.h>

#include <chrono>

#include "filter/case.h"

namespace doorward::filter {
namespace {

using namespace std::chrono_literals;

constexpr SystemTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 9h + 12min;
constexpr uint64_t kUs = 7;
const mail::IpAddress kHome = *mail::IpAddress::parse("192.0.2.1"), kStranger = *mail::IpAddress::parse("198.51.100.7");

Facts signed_by(std::string_view domain) {
  Facts facts;
  auto& signature = facts.authentication.emplace().dkim.signatures.emplace_back();
  signature.result = mailauth::Result::pass;
  signature.domain = domain;
  return facts;
}
// Asked, and nothing was found that says anything.
Facts silent(std::string_view envelope = "partner.example") {
  Facts facts;
  facts.authentication.emplace().spf.domain = envelope;
  return facts;
}

class LevelOfTrust : public testing::Test {
 protected:
  void we_write_to(const std::string& address, const std::string& subject = "") {
    memory_->sent({.customer = kUs,
                   .senders = {"bob@in.example"},
                   .recipients = {correspondent(address)},
                   .subject = subject,
                   .message_id = "<our.mail@in.example>"},
                  kNow);
  }
  void spam_from(const std::string& address) {
    memory_->received({.kind = trust::ReceivedMail::Kind::spam,
                       .customer = kUs,
                       .recipients = {"bob@in.example"},
                       .sender = correspondent(address)},
                      kNow);
  }
  sheet::Findings judged(const std::string& fields, const Facts& facts, const mail::IpAddress& ip = kHome,
                         const std::string& to = "bob@in.example") {
    TestMail test(fields + "\nText\n");
    test.facts = facts;
    test.client.ip = ip;
    test.now = kNow + 2h;
    test.input.correspondence = memory_.get();
    test.input.correspondents = {{kUs, {to}}, {8, {"someone@else.example"}}};
    auto findings = test.judged_by(level_of_trust());
    EXPECT_TRUE(test.unknown.empty());
    for (const auto& finding : findings) EXPECT_EQ(finding.owner, kUs);
    return findings;
  }
  // Points at the default weight, and the symbols.
  static double points(const sheet::Findings& findings) {
    double sum = 0;
    for (const auto& finding : findings) sum += 10 * finding.strength;
    return sum;
  }
  static std::string symbols(const sheet::Findings& findings) {
    std::string all;
    for (const auto& finding : findings) all += std::string(finding.symbol) + " ";
    return all;
  }
  std::unique_ptr<trust::Correspondence> memory_ = std::move(*trust::Correspondence::open({.entries = 4096}));
  const std::string partner_ = "From: Ann <ann@partner.example>\n";
};

TEST_F(LevelOfTrust, strangers_get_nothing) { EXPECT_TRUE(judged(partner_, signed_by("partner.example")).empty()); }

TEST_F(LevelOfTrust, whom_we_wrote_to_gets_through_whatever_the_subject) {
  we_write_to("ann@partner.example");
  const auto findings = judged(partner_ + "Subject: something else\n", signed_by("partner.example"));
  EXPECT_EQ(symbols(findings), "pair_trusted domain_trusted ");
  EXPECT_LT(points(findings), -8);
  EXPECT_EQ(findings[0].evidence, "ann@partner.example: last on 2026-11-23, on 1 day");
}

TEST_F(LevelOfTrust, colleagues_on_both_sides_share_some_of_it) {
  we_write_to("ann@partner.example");
  const auto our_colleague = judged(partner_, signed_by("partner.example"), kHome, "eve@in.example");
  EXPECT_EQ(symbols(our_colleague), "sender_known domain_trusted ");
  EXPECT_LT(points(our_colleague), -4);
  EXPECT_GT(points(our_colleague), -8);
  const auto theirs = judged("From: joe@sales.partner.example\n", signed_by("partner.example"));
  EXPECT_EQ(symbols(theirs), "domain_trusted ");
}

TEST_F(LevelOfTrust, an_answer_counts_whoever_of_those_written_to_gives_it) {
  we_write_to("ann@partner.example", "Your offer of Monday");
  EXPECT_EQ(
      symbols(judged("From: joe@partner.example\nSubject: AW: Your offer of Monday\n", signed_by("partner.example"))),
      "subject_known domain_trusted ");
  EXPECT_EQ(symbols(judged("From: joe@partner.example\nReferences: <x@y>\n <our.mail@in.example>\n",
                           signed_by("partner.example"))),
            "answers_us domain_trusted ");
  // What was sent to a mailing list is in public archives, with its Message-ID.
  EXPECT_TRUE(judged("From: ann@home.example\nReferences: <our.mail@in.example>\n", signed_by("home.example")).empty());
}

TEST_F(LevelOfTrust, a_forger_has_nothing_of_it) {
  we_write_to("ann@partner.example", "Your offer of Monday");
  const std::string mail = partner_ + "Subject: Re: Your offer of Monday\nIn-Reply-To: <our.mail@in.example>\n";
  EXPECT_TRUE(judged(mail, silent(), kStranger).empty());
  EXPECT_TRUE(judged(mail, signed_by("stranger.example"), kStranger).empty());
  EXPECT_TRUE(judged(partner_ + mail, signed_by("partner.example")).empty()) << "two From fields";
  EXPECT_TRUE(judged("From: ann@partner.example, x@stranger.example\n", signed_by("partner.example")).empty());
  EXPECT_TRUE(judged("From: \"ann@partner.example\" <x@stranger.example>\n", signed_by("stranger.example")).empty());
  Facts length = signed_by("partner.example");
  length.authentication->dkim.signatures[0].unsigned_octets = 100;
  length.authentication->dmarc.result = mailauth::Result::pass;
  length.authentication->dmarc.author_domain = "partner.example";
  EXPECT_TRUE(judged(mail, length, kStranger).empty()) << "anybody may have added what l= leaves open";
}

TEST_F(LevelOfTrust, who_can_prove_nothing_comes_from_the_network_that_was_refused) {
  memory_->received({.kind = trust::ReceivedMail::Kind::unproven_refused,
                     .customer = kUs,
                     .recipients = {"bob@in.example"},
                     .sender = correspondent("ann@partner.example"),
                     .client = kHome},
                    kNow);
  we_write_to("ann@partner.example");
  EXPECT_EQ(symbols(judged(partner_, silent(), kHome)), "pair_trusted ");
  EXPECT_TRUE(judged(partner_, silent(), kStranger).empty());
  Facts fails = silent();
  fails.authentication->spf.result = mailauth::Result::softfail;
  EXPECT_TRUE(judged(partner_, fails, kHome).empty()) << "who could prove himself has to";
  EXPECT_TRUE(judged(partner_, silent("nospf.stranger.example"), kHome).empty())
      << "a forger picks the envelope, whose domain says nothing of the author's";
}

TEST_F(LevelOfTrust, spam_lowers_whoever_proved_to_send_it) {
  spam_from("x@bad.example");
  const auto findings = judged("From: y@bad.example\n", signed_by("bad.example"));
  EXPECT_EQ(symbols(findings), "domain_distrusted ");
  EXPECT_GT(points(findings), 0.5);
  EXPECT_EQ(symbols(judged("From: x@bad.example\n", signed_by("bad.example"))), "sender_distrusted domain_distrusted ");
  we_write_to("y@bad.example");
  EXPECT_EQ(symbols(judged("From: y@bad.example\n", signed_by("bad.example"))), "pair_trusted ")
      << "a friend is not blamed for neighbours";
}

TEST_F(LevelOfTrust, domains_of_everybody_are_nobodys) {
  we_write_to("ann@gmail.com");
  EXPECT_EQ(symbols(judged("From: ann@gmail.com\n", signed_by("gmail.com"))), "pair_trusted ");
  EXPECT_TRUE(judged("From: joe@gmail.com\n", signed_by("gmail.com")).empty());
  EXPECT_EQ(correspondent("a@user.github.io").domain, "user.github.io") << "each its own";
  EXPECT_EQ(correspondent("a@co.uk").domain, "");
  EXPECT_EQ(correspondent("a@b1.mailchimpapp.net").domain, "");
}

TEST_F(LevelOfTrust, what_is_automatic_is_told_apart) {
  const auto automatic = [](const std::string& fields, bool null = false) {
    const TestMail test(fields + "From: a@b.example\n\nText\n");
    mail::Envelope envelope;
    envelope.from.null = null;
    return is_automatic(envelope, test.message);
  };
  EXPECT_FALSE(automatic(""));
  EXPECT_FALSE(automatic("Auto-Submitted: no\n"));
  EXPECT_TRUE(automatic("", true));
  EXPECT_TRUE(automatic("Auto-Submitted: auto-replied (vacation)\n"));
  EXPECT_TRUE(automatic("Precedence: bulk\n"));
  EXPECT_TRUE(automatic("List-Id: <l.b.example>\n"));
}

}  // namespace
}  // namespace doorward::filter
