#include <gtest/gtest.h>

#include "policy/effective.h"
#include "policy/legal.h"
#include "policy/moment.h"
#include "policy/options.h"
#include "policy/settings.h"

namespace doorward::policy {
namespace {

using sheet::Class;
using sheet::Direction;
using sheet::Disposition;

mail::IpAddress ip(std::string_view text) { return *mail::IpAddress::parse(text); }

TEST(Rule, MatchesSenderAndRecipientByWildcard) {
  Rule rule;
  EXPECT_TRUE(rule.matches(Direction::inbound, ip("192.0.2.1"), "a@b.example", "x@y.example"));
  rule.sender = "*@d.example";
  EXPECT_TRUE(rule.matches(Direction::inbound, ip("192.0.2.1"), "a@d.example", "x@y.example"));
  EXPECT_FALSE(rule.matches(Direction::inbound, ip("192.0.2.1"), "a@sub.d.example", "x@y.example"));
  rule.sender = "*firma@d.example";
  EXPECT_TRUE(rule.matches(Direction::inbound, ip("192.0.2.1"), "die.firma@d.example", "x@y.example"));
  EXPECT_FALSE(rule.matches(Direction::inbound, ip("192.0.2.1"), "firma2@d.example", "x@y.example"));
  rule.sender = "*";
  rule.recipient = "a.b@d.example";
  EXPECT_TRUE(rule.matches(Direction::inbound, ip("192.0.2.1"), "z@z.example", "a.b@d.example"));
  EXPECT_FALSE(rule.matches(Direction::inbound, ip("192.0.2.1"), "z@z.example", "aXb@d.example"));
}

TEST(Rule, NullSenderIsNamedOrAny) {
  Rule rule;
  for (const std::string null : {"", "<>"}) {
    rule.sender = "*";
    EXPECT_TRUE(rule.matches(Direction::inbound, ip("192.0.2.1"), null, "x@y.example"));
    rule.sender = "<>";
    EXPECT_TRUE(rule.matches(Direction::inbound, ip("192.0.2.1"), null, "x@y.example"));
    rule.sender = "*@*";
    EXPECT_FALSE(rule.matches(Direction::inbound, ip("192.0.2.1"), null, "x@y.example"));
    rule.sender = "?*";
    EXPECT_FALSE(rule.matches(Direction::inbound, ip("192.0.2.1"), null, "x@y.example"));
  }
  rule.sender = "<>";
  EXPECT_FALSE(rule.matches(Direction::inbound, ip("192.0.2.1"), "a@b.example", "x@y.example"));
}

TEST(Rule, MatchesDirectionAndNetworks) {
  Rule rule;
  rule.direction = Direction::outbound;
  EXPECT_FALSE(rule.matches(Direction::inbound, ip("192.0.2.1"), "a@b.example", "x@y.example"));
  EXPECT_TRUE(rule.matches(Direction::outbound, ip("192.0.2.1"), "a@b.example", "x@y.example"));
  rule.networks = {*mail::Network::parse("198.51.100.0/24"), *mail::Network::parse("2001:db8::/32")};
  EXPECT_FALSE(rule.matches(Direction::outbound, ip("192.0.2.1"), "a@b.example", "x@y.example"));
  EXPECT_TRUE(rule.matches(Direction::outbound, ip("198.51.100.255"), "a@b.example", "x@y.example"));
  EXPECT_TRUE(rule.matches(Direction::outbound, ip("2001:db8::1"), "a@b.example", "x@y.example"));
}

TEST(Effective, InheritsDownwardAndOverrides) {
  const Effective top;
  EXPECT_EQ(top["threshold"], "normal");
  const SettingMap provider{{"threshold", {"strict"}}, {"size_limit", {"10MB"}}};
  const SettingMap customer{{"threshold", {"2"}}};
  const Effective level1 = top.below(provider);
  const Effective level2 = level1.below(customer);
  EXPECT_EQ(level2["threshold"], "2");
  EXPECT_EQ(level2["size_limit"], "10MB");
  EXPECT_EQ(level2["legal"], "refuse-only");
}

TEST(Effective, WhatIsLockedStaysOnEveryLevelBelow) {
  const SettingMap provider{{"legal", {"refuse-only", true}}};
  const SettingMap customer{{"legal", {"discard"}}, {"threshold", {"strict", true}}};
  const SettingMap domain{{"legal", {"tag-only"}}, {"threshold", {"normal"}}};
  const Effective level2 = Effective{}.below(provider).below(customer);
  EXPECT_EQ(level2["legal"], "refuse-only");
  EXPECT_TRUE(level2.locked("legal"));
  const Effective level3 = level2.below(domain);
  EXPECT_EQ(level3["legal"], "refuse-only");
  EXPECT_EQ(level3["threshold"], "strict");
}

TEST(Effective, SignaturesAreEqualWhereValuesAre) {
  const SettingMap same{{"threshold", {"normal"}}}, other{{"threshold", {"strict"}}};
  EXPECT_EQ(Effective{}.below(same).signature(), Effective{}.signature());
  EXPECT_NE(Effective{}.below(other).signature(), Effective{}.signature());
}

TEST(Options, SensitivityLevelsAreThresholds) {
  EXPECT_EQ(threshold_of("very_cautious"), 8);
  EXPECT_EQ(threshold_of("normal"), 4);
  EXPECT_EQ(threshold_of("very_strict"), 2);
  EXPECT_EQ(threshold_of("-1"), -1);
  EXPECT_TRUE(check_setting("threshold", "10"));
  EXPECT_FALSE(check_setting("threshold", "11"));
  EXPECT_FALSE(check_setting("threshold", "-2"));
  EXPECT_FALSE(check_setting("threshold", "normally"));
}

TEST(Options, RelayNetworksAreNetworksAndNotTheWholeWorld) {
  EXPECT_TRUE(check_setting("relay_networks", "192.0.2.7\n198.51.100.0/24\n2001:db8::/32"));
  for (const char* bad : {"0.0.0.0/0", "10.0.0.0/8", "::/0", "2001::/16", "192.0.2.1/24", "mail.example.org"}) {
    EXPECT_FALSE(check_setting("relay_networks", bad)) << bad;
  }
}

TEST(Options, RewritesHaveAForm) {
  EXPECT_TRUE(check_setting("rewrites", "old.*@d.example -> new.*@d.example\na@d.example -> b@d.example"));
  for (const char* bad : {"a@d.example", "-> b", "a ->", "*.*@d -> *@e", "a@d.example -> *@d.example"}) {
    EXPECT_FALSE(check_setting("rewrites", bad)) << bad;
  }
}

TEST(Options, EveryOptionHasASentenceAndAKnownPlace) {
  for (size_t i = 0; i < options().size(); ++i) {
    EXPECT_EQ(options()[i].sentence.back(), '.') << options()[i].name;
    EXPECT_EQ(option_index(options()[i].name), static_cast<int>(i)) << options()[i].name;
  }
  EXPECT_EQ(option_index("nothing"), -1);
  EXPECT_FALSE(filter_names().empty());
}

TEST(Legal, RefuseOnlyTurnsEverythingKeptIntoRefusal) {
  for (const auto wanted : {Disposition::quarantine, Disposition::discard, Disposition::review, Disposition::refuse}) {
    EXPECT_EQ(allowed(LegalMode::refuse_only, Class::spam, wanted), Disposition::refuse);
  }
  EXPECT_EQ(allowed(LegalMode::refuse_only, Class::spam, Disposition::tag), Disposition::tag);
  EXPECT_EQ(allowed(LegalMode::discard, Class::spam, Disposition::discard), Disposition::discard);
}

TEST(Legal, OnlyWhatWasConsentedToIsDone) {
  EXPECT_EQ(allowed(LegalMode::quarantine, Class::spam, Disposition::quarantine), Disposition::quarantine);
  EXPECT_EQ(allowed(LegalMode::quarantine, Class::spam, Disposition::discard), Disposition::refuse);
  EXPECT_EQ(allowed(LegalMode::discard, Class::spam, Disposition::quarantine), Disposition::refuse);
}

TEST(Legal, TagOnlyNeverRefusesContent) {
  for (const auto wanted : {Disposition::quarantine, Disposition::discard, Disposition::refuse}) {
    EXPECT_EQ(allowed(LegalMode::tag_only, Class::spam, wanted), Disposition::tag);
    EXPECT_EQ(allowed(LegalMode::tag_only, Class::unsure, wanted), Disposition::deliver);
  }
  EXPECT_EQ(allowed(LegalMode::tag_only, Class::sanity, Disposition::refuse), Disposition::refuse);
}

TEST(Legal, QuarantineAndDiscardNeedTheirOwnConsent) {
  const std::vector<Consent> consents{{LegalMode::quarantine, "the customer", "2026-01-31", "terms"}};
  EXPECT_EQ(lawful(LegalMode::quarantine, {}), LegalMode::refuse_only);
  EXPECT_EQ(lawful(LegalMode::quarantine, consents), LegalMode::quarantine);
  EXPECT_EQ(lawful(LegalMode::discard, consents), LegalMode::refuse_only);
  EXPECT_EQ(lawful(LegalMode::tag_only, {}), LegalMode::tag_only);
}

TEST(Moment, ReadsDatesAndTimes) {
  using namespace std::chrono;
  EXPECT_EQ(parse_moment("1970-01-02"), SystemTime(hours(24)));
  EXPECT_EQ(parse_moment("1970-01-01T00:01:05Z"), SystemTime(seconds(65)));
  for (const char* bad : {"", "2026", "2026-02-30", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00", "2026-01-01x"}) {
    EXPECT_FALSE(parse_moment(bad)) << bad;
  }
}

}  // namespace
}  // namespace doorward::policy
