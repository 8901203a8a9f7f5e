#include "gateway/recipient.h"

#include <gtest/gtest.h>

#include "policy/model.h"

namespace doorward::gateway {
namespace {

policy::Tenant tenant(policy::Level level, std::string name, policy::SettingMap settings = {}) {
  policy::Tenant made;
  made.level = level;
  made.name = std::move(name);
  made.settings = std::move(settings);
  return made;
}

policy::Setting value(std::string text) { return {std::move(text)}; }

// Two customers: one whose backend decides on recipients, one with a list.
class RecipientTest : public testing::Test {
 protected:
  RecipientTest() {
    policy::Policy policy;
    for (const char* name : {"a", "b"}) {
      policy::Backend backend;
      backend.name = name;
      backend.addresses.push_back(*net::Endpoint::parse("127.0.0.1:2525"));
      policy.backends.push_back(backend);
    }
    policy.backends[1].protocol = policy::BackendProtocol::lmtp;

    auto asked =
        tenant(policy::Level::domain, "asked.example", {{"backend", value("a")}, {"secret_suffix", value("_geheim")}});
    policy::WrittenRule reject;
    reject.name = "no casino";
    reject.sender = "*@casino.example";
    reject.mode = policy::RuleMode::reject;
    asked.rules.push_back(reject);
    asked.below.push_back(
        tenant(policy::Level::mailbox, "strict@asked.example", {{"threshold", value("very_strict")}}));

    auto bypassed = tenant(
        policy::Level::domain, "bypassed.example",
        {{"backend", value("a")}, {"operation", value("bypass")}, {"bypass_until", value("2026-10-01T00:00:00Z")}});
    bypassed.rules.push_back(reject);

    auto tagged = tenant(policy::Level::domain, "tagged.example",
                         {{"backend", value("a")}, {"delivery", value("relay")}, {"recipient_delimiter", value("+")}});
    tagged.below.push_back(tenant(policy::Level::mailbox, "user@tagged.example"));
    auto astray = tenant(policy::Level::domain, "astray.example",
                         {{"backend", value("a")},
                          {"secret_suffix", value("_geheim")},
                          {"rewrites", value("postmaster@astray.example -> known@listed.example\n"
                                             "*@astray.example -> known@listed.example")}});

    auto listed =
        tenant(policy::Level::domain, "listed.example", {{"backend", value("b")}, {"recipients", value("listed")}});
    auto box = tenant(policy::Level::mailbox, "known@listed.example");
    box.aliases = {"also@listed.example"};
    listed.below.push_back(box);

    auto relayed = tenant(policy::Level::domain, "relayed.example",
                          {{"backend", value("b")}, {"delivery", value("relay")}, {"legal", value("tag-only")}});
    relayed.below.push_back(
        tenant(policy::Level::mailbox, "strict@relayed.example", {{"threshold", value("very_strict")}}));
    auto refusing =
        tenant(policy::Level::domain, "refusing.example", {{"backend", value("a")}, {"delivery", value("relay")}});

    auto first = tenant(policy::Level::customer, "first", {{"relay_networks", value("192.0.2.0/28")}});
    auto second = tenant(policy::Level::customer, "second",
                         {{"relay_networks", value("192.0.2.16/28")}, {"relay_senders", value("any")}});
    first.below.push_back(asked);
    first.below.push_back(bypassed);
    first.below.push_back(tagged);
    first.below.push_back(astray);
    second.below.push_back(listed);
    second.below.push_back(relayed);
    second.below.push_back(refusing);
    policy.provider.below = {first, second};
    auto made = policy::Snapshot::make(policy, "");
    EXPECT_TRUE(made) << made.error().text();
    snapshot_ = *made;
    envelope_.from.null = false;
    envelope_.from.mailbox = *mail::parse_mailbox("someone@elsewhere.example");
  }

  std::expected<Taken, smtp::Reply> take(const std::string& address) {
    std::string_view rest;
    const auto path = "<" + address + ">";
    auto mailbox = mail::parse_forward_path(path, mail::Utf8::allowed, rest);
    EXPECT_TRUE(mailbox) << address;
    return take_recipient(*snapshot_, client_, envelope_, {*mailbox}, now_);
  }
  int refused_with(const std::string& address) {
    const auto taken = take(address);
    return taken ? 250 : taken.error().code;
  }

  std::shared_ptr<const policy::Snapshot> snapshot_;
  mail::Client client_;
  mail::Envelope envelope_;
  SystemTime now_{std::chrono::seconds(1'790'000'000)};  // 2026-09-21
};

TEST_F(RecipientTest, TakesOnlyTheTenantsDomains) {
  EXPECT_EQ(refused_with("x@asked.example"), 250);
  EXPECT_EQ(refused_with("x@ASKED.example"), 250);
  EXPECT_EQ(refused_with("x@elsewhere.example"), 550);
  EXPECT_EQ(refused_with("x@sub.asked.example"), 550);
  EXPECT_EQ(refused_with("x@[127.0.0.1]"), 550);
}

TEST_F(RecipientTest, IsNoOpenRelayByAnyTrickOfTheLocalPart) {
  for (const char* trick :
       {"victim%elsewhere.example@asked.example", "elsewhere.example!victim@asked.example",
        "\"victim@elsewhere.example\"@asked.example", "@asked.example,@other.example:victim@elsewhere.example",
        "@elsewhere.example:victim%elsewhere.example@asked.example"}) {
    EXPECT_EQ(refused_with(trick), 550) << trick;
  }
}

TEST_F(RecipientTest, ATagIsTheClientsAndMayBeATrickToo) {
  EXPECT_EQ(refused_with("user+news@tagged.example"), 250);
  EXPECT_EQ(refused_with("user+x%elsewhere.example@tagged.example"), 550);
  EXPECT_EQ(refused_with("user+!x@tagged.example"), 550);
  EXPECT_EQ(refused_with("\"user+x@elsewhere.example\"@tagged.example"), 550);
}

TEST_F(RecipientTest, NoCustomerWaivesTheFiltersOfAnother) {
  const auto astray = take("someone_geheim@astray.example");
  ASSERT_TRUE(astray);
  EXPECT_EQ(astray->forward.mailbox.text(), "known@listed.example");
  EXPECT_EQ(astray->settings->domain_name, "listed.example");
  EXPECT_FALSE(astray->unfiltered);
  EXPECT_EQ(astray->named().text(), "known@listed.example") << "the suffix stays a secret";
  const auto role = take("postmaster@astray.example");
  ASSERT_TRUE(role);
  EXPECT_FALSE(role->never_refused);
}

TEST_F(RecipientTest, KnowsListedMailboxesAndTheirAliasesOnly) {
  EXPECT_EQ(refused_with("unknown@listed.example"), 550);
  const auto alias = take("also@listed.example");
  ASSERT_TRUE(alias);
  EXPECT_EQ(alias->forward.mailbox.key(), "known@listed.example");
  EXPECT_EQ(alias->given.mailbox.key(), "also@listed.example");
}

TEST_F(RecipientTest, TakesTheSecretSuffixOffAndLetsPass) {
  const auto secret = take("someone_geheim@asked.example");
  ASSERT_TRUE(secret);
  EXPECT_TRUE(secret->unfiltered);
  EXPECT_EQ(secret->forward.mailbox.local, "someone");
  EXPECT_FALSE(take("someone@asked.example")->unfiltered);
}

TEST_F(RecipientTest, RefusesByRuleButNeverPostmaster) {
  envelope_.from.mailbox = *mail::parse_mailbox("win@casino.example");
  EXPECT_EQ(refused_with("x@asked.example"), 550);
  const auto postmaster = take("Postmaster@asked.example");
  ASSERT_TRUE(postmaster);
  EXPECT_TRUE(postmaster->never_refused);
  EXPECT_TRUE(take("abuse@asked.example")->never_refused);
}

TEST_F(RecipientTest, ABypassSuspendsRejectRulesUntilItsEnd) {
  envelope_.from.mailbox = *mail::parse_mailbox("win@casino.example");
  EXPECT_EQ(refused_with("x@bypassed.example"), 250);
  now_ += std::chrono::days(30);
  EXPECT_EQ(refused_with("x@bypassed.example"), 550);
}

TEST_F(RecipientTest, OnlyThoseWithTheSameFateShareATransaction) {
  const auto one = *take("one@asked.example"), two = *take("two@asked.example"), strict = *take("strict@asked.example");
  const auto postmaster = *take("postmaster@asked.example"), secret = *take("one_geheim@asked.example");
  EXPECT_TRUE(go_together(one, two, false));
  EXPECT_FALSE(go_together(one, strict, false));
  EXPECT_FALSE(go_together(one, postmaster, false));
  EXPECT_FALSE(go_together(one, secret, false));
  EXPECT_TRUE(go_together(one, strict, true)) << "PRDR answers each";
  const auto known = *take("known@listed.example");
  EXPECT_FALSE(go_together(one, known, true)) << "another backend";
  EXPECT_FALSE(go_together(known, known, false)) << "LMTP answers each, the client awaits one reply";
}

TEST_F(RecipientTest, WhatIsRelayedSharesATransactionUnlessOneCanBeRefused) {
  const auto one = *take("one@relayed.example"), strict = *take("strict@relayed.example");
  const auto refusing = *take("one@refusing.example"), proxied = *take("one@asked.example");
  EXPECT_TRUE(one.is_relayed());
  EXPECT_FALSE(proxied.is_relayed());
  EXPECT_TRUE(go_together(one, strict, false)) << "each gets a content of their own";
  EXPECT_TRUE(go_together(one, one, false)) << "LMTP or not: the answer is ours";
  EXPECT_FALSE(go_together(one, refusing, false));
  EXPECT_TRUE(go_together(one, refusing, true));
  EXPECT_TRUE(go_together(refusing, refusing, false));
  EXPECT_FALSE(go_together(proxied, refusing, true)) << "one answers now, one later";
}

TEST_F(RecipientTest, OnlyTheOwnServersOfACustomerSendOutAndOnlyInItsName) {
  client_.ip = *mail::IpAddress::parse("192.0.2.3");
  envelope_.from.mailbox = *mail::parse_mailbox("me@asked.example");
  const auto taken = take("x@elsewhere.example");
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->direction, sheet::Direction::outbound);
  EXPECT_TRUE(taken->is_relayed());
  EXPECT_EQ(taken->forward.mailbox.text(), "x@elsewhere.example");
  EXPECT_EQ(take("x@listed.example").error().code, 550) << "a domain of ours is inbound, from wherever";
  EXPECT_FALSE(go_together(*taken, *take("one@refusing.example"), true));

  envelope_.from.mailbox = *mail::parse_mailbox("me@listed.example");
  EXPECT_EQ(refused_with("x@elsewhere.example"), 550) << "another customer's domain";
  envelope_.from.mailbox = *mail::parse_mailbox("me@nowhere.example");
  EXPECT_EQ(refused_with("x@elsewhere.example"), 550);
  envelope_.from = {};
  EXPECT_EQ(refused_with("x@elsewhere.example"), 250) << "bounces have no sender";

  client_.ip = *mail::IpAddress::parse("192.0.2.17");
  envelope_.from = {*mail::parse_mailbox("me@nowhere.example"), false};
  EXPECT_EQ(refused_with("x@elsewhere.example"), 250) << "any sender, as that customer has it";
  client_.ip = *mail::IpAddress::parse("192.0.2.32");
  EXPECT_EQ(refused_with("x@elsewhere.example"), 550);
}

}  // namespace
}  // namespace doorward::gateway
