#include "policy/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/toml.h"
#include "policy/difference.h"
#include "policy/tables.h"
#include "store/database.h"

namespace doorward::policy {
namespace {

using testing::HasSubstr;

std::string sample() {
  const auto text = config::read_file(std::string(TEST_DATA) + "/../../samples/policy.toml");
  EXPECT_TRUE(text) << text.error().text();
  return text.value_or("");
}

Policy parsed(std::string_view text) {
  auto policy = parse_file(text, "policy.toml");
  EXPECT_TRUE(policy) << policy.error().text();
  return policy ? std::move(*policy) : Policy{};
}

std::string wrong(std::string_view text) {
  const auto policy = parse_file(text, "p.toml");
  return policy ? "nothing wrong" : policy.error().text();
}

constexpr std::string_view kSmall = R"([[backend]]
name = "main"
address = ["127.0.0.1:2525"]
[[customer]]
name = "C"
[[customer.domain]]
name = "example.org"
backend = "main"
)";

TEST(PolicyFile, SampleIsReadWholly) {
  const Policy policy = parsed(sample());
  ASSERT_EQ(policy.backends.size(), 2U);
  EXPECT_EQ(policy.backends[0].name, "lmtp");
  EXPECT_EQ(policy.backends[0].addresses.size(), 2U);
  EXPECT_EQ(policy.backends[0].timeout, std::chrono::minutes(1));
  ASSERT_EQ(policy.word_lists.size(), 1U);
  EXPECT_EQ(policy.word_lists[0].list.entries.size(), 3U);
  EXPECT_EQ(policy.rule_sets.at(0).rules.at(1).filters.at("word_list.weight"), "0.5");
  EXPECT_EQ(policy.rule_sets.at(0).rules.at(1).threshold, "6");
  EXPECT_TRUE(policy.provider.settings.at("legal").locked);
  ASSERT_EQ(policy.provider.below.size(), 2U);
  const Tenant& reseller = policy.provider.below[0];
  EXPECT_EQ(reseller.level, Level::reseller);
  const Tenant& customer = reseller.below.at(0);
  EXPECT_EQ(customer.entries.at(0).recorded_network->text(), "192.0.2.0/24");
  ASSERT_EQ(customer.below.size(), 2U);
  const Tenant& domain = customer.below[1];
  EXPECT_EQ(domain.name, "example.org");
  EXPECT_EQ(domain.settings.at("outcome.newsletter").value, "tag");
  EXPECT_EQ(domain.below.at(0).aliases.size(), 2U);
  EXPECT_EQ(domain.below.at(1).rules.at(0).mode, RuleMode::pass);
}

TEST(PolicyFile, ExportImportExportIsIdentical) {
  const std::string first = to_file(parsed(sample()));
  EXPECT_EQ(to_file(parsed(first)), first);
  EXPECT_TRUE(difference(parsed(sample()), parsed(first)).empty());
}

TEST(PolicyFile, StoreGivesBackTheSame) {
  auto database = store::Database::open(":memory:");
  ASSERT_TRUE(database);
  Policy policy = parsed(sample());
  const std::string text = to_file(policy);
  const auto done = write_policy(**database, policy);
  ASSERT_TRUE(done) << done.error().text();
  const auto stored = read_policy(**database);
  ASSERT_TRUE(stored) << stored.error().text();
  EXPECT_EQ(to_file(*stored), text);
}

TEST(PolicyFile, UnknownKeysNameLineAndNearest) {
  EXPECT_THAT(wrong(std::string(kSmall) + "treshold = 3\n"),
              HasSubstr("p.toml:9: unknown key 'treshold'; did you mean 'threshold'?"));
  EXPECT_THAT(wrong("[[custmer]]\nname = \"x\"\n"),
              HasSubstr("p.toml:1: unknown key 'custmer'; did you mean 'customer'?"));
  EXPECT_THAT(wrong("[provider]\nfilter.word_lst.weight = 2\n"), HasSubstr("did you mean 'filter.word_list'?"));
  EXPECT_THAT(wrong("[[rule]]\nname = \"x\"\nsendr = \"*\"\n"),
              HasSubstr("p.toml:3: unknown key 'sendr'; did you mean 'sender'?"));
}

TEST(PolicyFile, ReferencesMustExist) {
  std::string text(kSmall);
  text.replace(text.rfind("main"), 4, "mian");
  EXPECT_THAT(wrong(text), HasSubstr("p.toml:8: unknown backend 'mian'; did you mean 'main'?"));
  EXPECT_THAT(wrong(std::string(kSmall) + "word_lists = [\"bse\"]\n"),
              HasSubstr("unknown word list 'bse'; did you mean 'base'?"));
  EXPECT_THAT(wrong(std::string(kSmall) + "rule_sets = [\"x\"]\n"), HasSubstr("unknown rule set 'x'"));
  EXPECT_THAT(wrong("[[customer]]\nname = \"C\"\nreseller = \"R\"\n"),
              HasSubstr("p.toml:3: reseller: there is no reseller \"R\""));
}

TEST(PolicyFile, NamesAreThereOnce) {
  const std::string twice = std::string(kSmall) + "[[customer.domain]]\nname = \"EXAMPLE.org\"\nbackend = \"main\"\n";
  EXPECT_THAT(wrong(twice), HasSubstr("p.toml:9: there is another domain EXAMPLE.org, at line 6"));
  const std::string alias = std::string(kSmall) +
                            "[[customer.domain.mailbox]]\naddress = \"a@example.org\"\naliases = [\"b@example.org\"]\n"
                            "[[customer.domain.mailbox]]\naddress = \"B@example.org\"\n";
  EXPECT_THAT(wrong(alias), HasSubstr("another mailbox or alias"));
  const std::string backend = std::string(kSmall) + "[[backend]]\nname = \"main\"\naddress = [\"192.0.2.9\"]\n";
  EXPECT_THAT(wrong(backend), HasSubstr("p.toml:9: there is another backend of the name \"main\""));
}

TEST(PolicyFile, WhatCannotHoldIsRefused) {
  EXPECT_THAT(wrong(std::string(kSmall) + "relay_networks = [\"192.0.2.1\"]\n"),
              HasSubstr("relay_networks belong to a customer, not to a domain"));
  EXPECT_THAT(wrong("[[customer]]\nname = \"A\"\nrelay_networks = [\"192.0.2.1\"]\n"
                    "[[customer]]\nname = \"B\"\nrelay_networks = [\"192.0.2.1\"]\n"),
              HasSubstr("p.toml:6: the relay network 192.0.2.1 is the customer A's too"));
  EXPECT_THAT(wrong(std::string(kSmall) + "operation = \"bypass\"\n"), HasSubstr("without an end"));
  EXPECT_THAT(wrong(std::string(kSmall) + "locked = [\"legal\"]\n"), HasSubstr("what is locked needs a value"));
  EXPECT_THAT(wrong("[provider]\nlegal = \"tag-only\"\nlocked = [\"legal\"]\n" + std::string(kSmall) +
                    "legal = \"refuse-only\"\n"),
              HasSubstr("legal is locked by a level above"));
  EXPECT_THAT(wrong("[[customer]]\nname = \"C\"\n[[customer.domain]]\nname = \"example.org\"\n"),
              HasSubstr("has no backend"));
  EXPECT_THAT(wrong(std::string(kSmall) + "[[customer.domain.mailbox]]\naddress = \"a@example.net\"\n"),
              HasSubstr("not in the domain example.org"));
  EXPECT_THAT(wrong(std::string(kSmall) +
                    "[[customer.domain.mailbox]]\naddress = \"a@example.org\"\naliases = [\"a@elsewhere.example\"]\n"),
              HasSubstr("not protected"));
  EXPECT_THAT(wrong("[[entry]]\nkind = \"network\"\nblock = \"192.0.2.1/24\"\n"),
              HasSubstr("not an address or network"));
  EXPECT_THAT(wrong("[[entry]]\nblock = \"a\"\npass = \"b\"\n"), HasSubstr("either block or pass"));
  EXPECT_THAT(wrong("[[word_list]]\nname = \"base\"\n"), HasSubstr("another word_list of the name \"base\""));
  EXPECT_THAT(wrong("[[word_list]]\nname = \"x\"\n[[word_list.entry]]\npattern = \"a\"\npoints = 11\n"),
              HasSubstr("p.toml:5: points: 11 is outside of -10 to 10"));
}

TEST(PolicyFile, CatchAllCannotLeadOutside) {
  EXPECT_THAT(wrong(std::string(kSmall) + "catch_all = \"a@elsewhere.example\"\n"),
              HasSubstr("p.toml:9: catch_all: a@elsewhere.example is in a domain that is not protected"));
  EXPECT_EQ(wrong(std::string(kSmall) + "catch_all = \"a@example.org\"\n"), "nothing wrong");
}

TEST(PolicyFile, AnAliasIsInADomainOfItsOwnCustomer) {
  const std::string box = "[[customer.domain.mailbox]]\naddress = \"a@example.org\"\naliases = [\"b@own.example\"]\n";
  const std::string domain = "[[customer.domain]]\nname = \"own.example\"\nbackend = \"main\"\n";
  EXPECT_EQ(wrong(std::string(kSmall) + box + domain), "nothing wrong");
  EXPECT_THAT(wrong(std::string(kSmall) + box + "[[customer]]\nname = \"Other\"\n" + domain),
              HasSubstr("the alias b@own.example is in a domain of another customer"));
}

TEST(Difference, SaysInWordsWhatWouldChange) {
  const Policy before = parsed(kSmall);
  const Policy after = parsed(std::string(kSmall) +
                              "threshold = \"strict\"\n[[customer.domain.mailbox]]\naddress = \"a@example.org\"\n");
  EXPECT_EQ(to_text(difference(before, after)),
            "domain example.org: threshold: added: strict\n"
            "mailbox a@example.org: added\n"
            "mailbox a@example.org: belongs to: added: domain example.org\n");
  EXPECT_EQ(to_json(difference(after, before)),
            "{\"object\":\"domain example.org\",\"what\":\"threshold\",\"before\":\"strict\",\"after\":null}\n"
            "{\"object\":\"mailbox a@example.org\",\"what\":\"\",\"before\":\"\",\"after\":null}\n");
  const Policy other = parsed(std::string(kSmall) + "threshold = 7\n");
  const Policy strict = parsed(std::string(kSmall) + "threshold = \"strict\"\n");
  EXPECT_EQ(to_text(difference(strict, other)), "domain example.org: threshold: strict → 7\n");
}

TEST(Tables, IdsStayWithTheirNames) {
  auto database = store::Database::open(":memory:");
  Policy first = parsed(kSmall);
  ASSERT_TRUE(write_policy(**database, first));
  const uint64_t customer = first.provider.below.at(0).id;
  const uint64_t domain = first.provider.below.at(0).below.at(0).id;
  EXPECT_GE(customer, Policy::kFirstId);
  Policy second = parsed("[[customer]]\nname = \"A\"\n" + std::string(kSmall));
  ASSERT_TRUE(write_policy(**database, second));
  ASSERT_EQ(second.provider.below.size(), 2U);
  EXPECT_EQ(second.provider.below[1].id, customer);
  EXPECT_EQ(second.provider.below[1].below.at(0).id, domain);
  EXPECT_GT(second.provider.below[0].id, domain);
}

TEST(Tables, FailedWriteChangesNothing) {
  auto database = store::Database::open(":memory:");
  Policy good = parsed(kSmall);
  ASSERT_TRUE(write_policy(**database, good));
  Policy bad = parsed(sample());
  bad.provider.below.push_back(bad.provider.below.back());  // the same names twice, which validate() keeps out
  EXPECT_FALSE(write_policy(**database, bad));
  EXPECT_EQ(to_file(*read_policy(**database)), to_file(good));
}

}  // namespace
}  // namespace doorward::policy
