#include "policy/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>

#include "policy/file.h"
#include "policy/model.h"
#include "policy/tables.h"
#include "store/database.h"

namespace doorward::policy {
namespace {

using sheet::Class;
using sheet::Direction;
using sheet::Disposition;
using Kind = Resolved::Kind;

mail::Mailbox at(std::string_view text) { return *mail::parse_mailbox(text); }
mail::IpAddress anyone() { return *mail::IpAddress::parse("192.0.2.1"); }

std::shared_ptr<const Snapshot> made(std::string_view text) {
  auto policy = parse_file(text, "policy.toml");
  EXPECT_TRUE(policy) << policy.error().text();
  auto snapshot = Snapshot::make(std::move(*policy), "");
  EXPECT_TRUE(snapshot) << snapshot.error().text();
  return *snapshot;
}

constexpr std::string_view kPolicy = R"(
[[backend]]
name = "main"
address = ["127.0.0.1:2525"]
[[word_list]]
name = "trade"
[[word_list.entry]]
pattern = "casino"
points = 4
[[rule]]
name = "provider's"
sender = "*@Every.example"
mode = "reject"
[[customer]]
name = "C"
word_lists = ["base", "trade"]
[[customer.rule]]
name = "customer's"
sender = "*@every.example"
recipient = "*@listed.example"
mode = "pass"
[[customer.entry]]
block = "*@bad.example"
[[customer.domain]]
name = "listed.example"
backend = "main"
recipients = "listed"
recipient_delimiter = "+"
threshold = "strict"
filter.word_list.weight = 2.5
[[customer.domain.mailbox]]
address = "Info@listed.example"
aliases = ["sales@listed.example", "info@asked.example"]
[[customer.domain.mailbox]]
address = "plain@listed.example"
threshold = "strict"
[[customer.domain.mailbox]]
address = "own@listed.example"
threshold = 9
[[customer.domain.mailbox.rule]]
name = "own rule"
sender = "boss@every.example"
mode = "check"
[[customer.domain]]
name = "asked.example"
backend = "main"
legal = "discard"
outcome.spam = "discard"
[[customer.domain]]
name = "agreed.example"
backend = "main"
legal = "discard"
outcome.spam = "discard"
catch_all = "info@listed.example"
[[customer.domain.consent]]
mode = "discard"
who = "the managing director"
when = "2026-01-31"
text = "contract 7, annex 2"
[[customer.domain]]
name = "bücher.example"
backend = "main"
)";

TEST(Snapshot, RelayNetworksLeadToTheirCustomerTheNarrowestFirst) {
  const auto snapshot = made(R"(
[[backend]]
name = "main"
address = ["127.0.0.1:2525"]
[[customer]]
name = "wide"
relay_networks = ["192.0.2.0/24", "2001:db8:1::/48"]
relay_senders = "any"
[[customer.domain]]
name = "wide.example"
backend = "main"
[[customer]]
name = "narrow"
relay_networks = ["192.0.2.16/28"]
[[customer.domain]]
name = "narrow.example"
backend = "main"
)");
  const auto of = [&](std::string_view ip) { return snapshot->outbound(*mail::IpAddress::parse(ip)); };
  const auto customer = [&](std::string_view domain) {
    return snapshot->domain(*mail::parse_domain(domain))->customer;
  };
  ASSERT_TRUE(of("192.0.2.1") && of("192.0.2.31"));
  EXPECT_EQ(of("192.0.2.1")->customer, customer("wide.example"));
  EXPECT_TRUE(of("192.0.2.1")->any_sender);
  EXPECT_EQ(of("192.0.2.31")->customer, customer("narrow.example"));
  EXPECT_FALSE(of("192.0.2.31")->any_sender);
  EXPECT_EQ(of("192.0.2.32"), of("2001:db8:1::25"));
  EXPECT_FALSE(of("192.0.3.1") || of("2001:db8:2::25") || of("127.0.0.1"));
  EXPECT_FALSE(snapshot->domain(*mail::parse_domain("other.example")));
}

TEST(Snapshot, DefaultsJudgeByTheBaseListAndOneRule) {
  const auto snapshot = Snapshot::defaults();
  const Settings& settings = *snapshot->fallback();
  EXPECT_EQ(settings.customer, Policy::kDefaultCustomerId);
  EXPECT_EQ(settings.word_lists, std::vector<uint64_t>{Policy::kBaseListId});
  ASSERT_EQ(settings.rules.size(), 1U);
  const Rule& rule = snapshot->rule_for(settings, Direction::inbound, anyone(), "<>", "");
  EXPECT_EQ(rule.name, "default");
  EXPECT_EQ(rule.threshold, 4);
  EXPECT_TRUE(rule.prices.contains("word_list"));
  EXPECT_EQ(settings.outcomes[static_cast<size_t>(Class::spam)], Disposition::refuse);
  EXPECT_EQ(settings.outcomes[static_cast<size_t>(Class::clean)], Disposition::deliver);
  ASSERT_NE(snapshot->words(), nullptr);
  EXPECT_NE(snapshot->words()->list(Policy::kBaseListId), nullptr);
  EXPECT_EQ(snapshot->resolve(at("a@b.example")).kind, Kind::unknown_domain);
}

TEST(Snapshot, ResolvesListedMailboxesAliasesAndTags) {
  const auto snapshot = made(kPolicy);
  const Resolved info = snapshot->resolve(at("INFO@Listed.Example"));
  EXPECT_EQ(info.kind, Kind::ours);
  EXPECT_TRUE(info.listed);
  EXPECT_EQ(info.mailbox.text(), "INFO@Listed.Example");
  const Resolved sales = snapshot->resolve(at("Sales@listed.example"));
  EXPECT_EQ(sales.mailbox.text(), "Info@listed.example");
  EXPECT_EQ(sales.settings, info.settings);
  EXPECT_EQ(snapshot->resolve(at("info@asked.example")).mailbox.text(), "Info@listed.example");
  EXPECT_EQ(snapshot->resolve(at("info+shop@listed.example")).mailbox.text(), "info+shop@listed.example");
  EXPECT_EQ(snapshot->resolve(at("sales+Shop@listed.example")).mailbox.text(), "Info+Shop@listed.example");
  EXPECT_EQ(snapshot->resolve(at("nobody+shop@listed.example")).kind, Kind::unknown_recipient);
}

TEST(Snapshot, UnknownRecipientsAreUnknownOrAsked) {
  const auto snapshot = made(kPolicy);
  const Resolved nobody = snapshot->resolve(at("nobody@listed.example"));
  EXPECT_EQ(nobody.kind, Kind::unknown_recipient);
  EXPECT_TRUE(nobody.settings);  // rewriting and the secret suffix may still find somebody
  const Resolved asked = snapshot->resolve(at("nobody@asked.example"));
  EXPECT_EQ(asked.kind, Kind::ours);
  EXPECT_FALSE(asked.listed);
  EXPECT_EQ(snapshot->resolve(at("a@sub.listed.example")).kind, Kind::unknown_domain);
  EXPECT_EQ(snapshot->resolve(at("a@[192.0.2.1]")).kind, Kind::unknown_domain);
}

TEST(Snapshot, PostmasterAndAbuseAlwaysResolve) {
  const auto snapshot = made(kPolicy);
  EXPECT_EQ(snapshot->resolve(at("PostMaster@listed.example")).kind, Kind::ours);
  EXPECT_EQ(snapshot->resolve(at("abuse@listed.example")).kind, Kind::ours);
  EXPECT_EQ(snapshot->resolve(at("hostmaster@listed.example")).kind, Kind::unknown_recipient);
}

TEST(Snapshot, CatchAllGetsTheRest) {
  const auto snapshot = made(kPolicy);
  const Resolved caught = snapshot->resolve(at("anything@agreed.example"));
  EXPECT_EQ(caught.kind, Kind::ours);
  EXPECT_TRUE(caught.listed);
  EXPECT_EQ(caught.mailbox.text(), "info@listed.example");
  EXPECT_EQ(caught.settings, snapshot->resolve(at("info@listed.example")).settings);
}

TEST(Snapshot, DomainsCompareInALabels) {
  const auto snapshot = made(kPolicy);
  EXPECT_EQ(snapshot->resolve(at("a@xn--bcher-kva.example")).kind, Kind::ours);
  EXPECT_EQ(snapshot->resolve(at("a@BÜCHER.example")).kind, Kind::ours);
  EXPECT_TRUE(snapshot->is_protected(*mail::parse_domain("XN--BCHER-KVA.example")));
}

TEST(Snapshot, EqualSettingsOfADomainAreOneObject) {
  const auto snapshot = made(kPolicy);
  const auto info = snapshot->resolve(at("info@listed.example")).settings;
  EXPECT_EQ(snapshot->resolve(at("plain@listed.example")).settings, info);  // it sets what the domain has anyway
  EXPECT_EQ(snapshot->resolve(at("nobody@listed.example")).settings, info);
  const auto own = snapshot->resolve(at("own@listed.example")).settings;
  EXPECT_NE(own, info);
  EXPECT_EQ(own->backend, info->backend);
}

TEST(Snapshot, FirstRuleThatMatchesDecidesNearestLevelFirst) {
  const auto snapshot = made(kPolicy);
  const auto rule = [&](std::string_view recipient, const std::string& sender) -> const Rule& {
    const auto settings = snapshot->resolve(at(recipient)).settings;
    return snapshot->rule_for(*settings, Direction::inbound, anyone(), sender, at(recipient).key());
  };
  EXPECT_EQ(rule("info@listed.example", "x@every.example").name, "customer's");
  EXPECT_EQ(rule("info@asked.example", "x@every.example").name, "provider's");  // the alias is asked by its own address
  EXPECT_EQ(rule("nobody@asked.example", "x@every.example").name, "provider's");
  EXPECT_EQ(rule("own@listed.example", "boss@every.example").name, "own rule");
  EXPECT_EQ(rule("own@listed.example", "x@every.example").name, "customer's");
  EXPECT_EQ(rule("info@listed.example", "x@else.example").name, "default");
}

TEST(Snapshot, RulesTakeThresholdAndPricesFromTheSettings) {
  const auto snapshot = made(kPolicy);
  const auto listed = snapshot->resolve(at("info@listed.example")).settings;
  EXPECT_EQ(listed->rules.back()->threshold, 3);
  EXPECT_EQ(listed->rules.back()->prices.find("word_list")->second.weight, 2.5);
  const auto own = snapshot->resolve(at("own@listed.example")).settings;
  EXPECT_EQ(own->rules.back()->threshold, 9);
  const auto asked = snapshot->resolve(at("x@asked.example")).settings;
  EXPECT_EQ(asked->rules.back()->threshold, 4);
  EXPECT_NE(asked->rules.back()->prices.find("word_list")->second.weight, 2.5);
}

TEST(Snapshot, OwnersAreTheListsAndTenantsWhoseFindingsCount) {
  const auto snapshot = made(kPolicy);
  const auto settings = snapshot->resolve(at("info@listed.example")).settings;
  EXPECT_EQ(settings->word_lists.size(), 2U);
  ASSERT_EQ(settings->entries.size(), 1U);
  EXPECT_EQ(settings->entries[0]->owner(), settings->customer);
  EXPECT_TRUE(std::ranges::is_sorted(settings->owners));
  for (const uint64_t list : settings->word_lists) EXPECT_TRUE(std::ranges::count(settings->owners, list));
  EXPECT_TRUE(std::ranges::count(settings->owners, settings->customer));
  EXPECT_FALSE(std::ranges::count(settings->owners, 0U));
}

TEST(Snapshot, DiscardHoldsWithConsentOnly) {
  const auto snapshot = made(kPolicy);
  const auto without = snapshot->resolve(at("x@asked.example")).settings;
  EXPECT_EQ(without->legal, LegalMode::refuse_only);
  EXPECT_EQ(without->outcomes[static_cast<size_t>(Class::spam)], Disposition::refuse);
  auto policy = parse_file(kPolicy, "p");
  std::string text(kPolicy);
  const auto catch_all = text.find("catch_all");
  text.erase(catch_all, text.find('\n', catch_all) - catch_all + 1);
  const auto with = made(text)->resolve(at("x@agreed.example")).settings;
  EXPECT_EQ(with->legal, LegalMode::discard);
  EXPECT_EQ(with->outcomes[static_cast<size_t>(Class::spam)], Disposition::discard);
}

TEST(Snapshot, LoadsWhatWasStored) {
  auto database = store::Database::open(":memory:");
  auto policy = parse_file(kPolicy, "p");
  ASSERT_TRUE(policy);
  ASSERT_TRUE(write_policy(**database, *policy));
  const auto snapshot = Snapshot::load(**database, "");
  ASSERT_TRUE(snapshot) << snapshot.error().text();
  EXPECT_EQ((*snapshot)->domain_count(), 4U);
  ASSERT_EQ((*snapshot)->backends().size(), 1U);
  const auto settings = (*snapshot)->resolve(at("sales@listed.example")).settings;
  EXPECT_EQ(settings->backend->name, "main");
  EXPECT_EQ(settings->domain_name, "listed.example");
  EXPECT_EQ((*snapshot)->fallback()->customer, settings->customer);  // there is one only
}

TEST(Snapshot, ThousandsOfDomainsLoadFast) {
  Policy policy;
  Backend backend;
  backend.name = "main";
  backend.addresses.push_back(*net::Endpoint::parse("127.0.0.1:2525"));
  policy.backends.push_back(backend);
  Tenant customer;
  customer.level = Level::customer;
  customer.name = "C";
  customer.settings["backend"] = {"main"};
  for (int d = 0; d < 5000; ++d) {
    Tenant domain;
    domain.level = Level::domain;
    domain.name = "d" + std::to_string(d) + ".example";
    for (int m = 0; m < 20; ++m) {
      Tenant mailbox;
      mailbox.level = Level::mailbox;
      mailbox.name = "user" + std::to_string(m) + "@" + domain.name;
      domain.below.push_back(std::move(mailbox));
    }
    customer.below.push_back(std::move(domain));
  }
  policy.provider.below.push_back(std::move(customer));
  auto database = store::Database::open(":memory:");
  using Clock = std::chrono::steady_clock;
  const auto begun = Clock::now();
  ASSERT_TRUE(write_policy(**database, policy));
  const auto written = Clock::now();
  const auto snapshot = Snapshot::load(**database, "");
  const auto loaded = Clock::now();
  ASSERT_TRUE(snapshot);
  EXPECT_EQ((*snapshot)->domain_count(), 5000U);
  const mail::Mailbox last = at("user19@d4999.example");
  constexpr int kLookups = 100'000;
  for (int i = 0; i < kLookups; ++i) ASSERT_TRUE((*snapshot)->resolve(last).listed);
  const auto looked_up = Clock::now();
  const auto ms = [](auto time) { return std::chrono::duration<double, std::milli>(time).count(); };
  std::fprintf(stderr, "5,000 domains, 100,000 mailboxes: import %.0f ms, load %.0f ms, look-up %.0f ns\n",
               ms(written - begun), ms(loaded - written), ms(looked_up - loaded) * 1e6 / kLookups);
  EXPECT_LT(ms(loaded - written), 30'000);
}

TEST(Snapshot, NoticesSpeakTheCustomersLanguage) {
  Policy policy;
  for (const auto& [name, language] : {std::pair{"first", "de"}, std::pair{"second", ""}}) {
    Tenant customer;
    customer.level = Level::customer;
    customer.name = name;
    if (*language != '\0') customer.settings["notice_language"] = {language};
    policy.provider.below.push_back(customer);
  }
  policy.number();
  const uint64_t first = policy.provider.below[0].id, second = policy.provider.below[1].id;
  const auto snapshot = *Snapshot::make(policy, "");
  EXPECT_EQ(snapshot->notice_language(first), "de");
  EXPECT_EQ(snapshot->notice_language(second), "en");
  EXPECT_EQ(snapshot->notice_language(4711), "");
}

}  // namespace
}  // namespace doorward::policy
