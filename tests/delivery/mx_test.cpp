#include "delivery/mx.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "delivery/core_runner.h"
#include "net/fake_resolver.h"

namespace doorward::delivery {
namespace {

using namespace std::chrono_literals;
using net::DnsStatus;
using net::DnsType;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class MxTest : public testing::Test {
 protected:
  RoutesFound find(std::string_view domain = "d.example") {
    RoutesFound found;
    runner_.run([&]() -> Task<void> {
      found = co_await find_routes(runner_.core(), names_, mail::parse_domain(domain).value(), options_);
    });
    return found;
  }
  // "host address" in the order to be tried.
  std::vector<std::string> targets(std::string_view domain = "d.example") {
    const RoutesFound found = find(domain);
    std::vector<std::string> result;
    if (!found) return {"no way: " + found.error().lines.front()};
    for (const Target& target : found->targets) result.push_back(target.host + " " + target.endpoint.ip.text());
    return result;
  }
  // "550 5.1.2"
  std::string refusal(std::string_view domain = "d.example") {
    const RoutesFound found = find(domain);
    if (found) return "a way";
    const smtp::EnhancedStatus& status = found.error().enhanced;
    return fmt::format("{} {}.{}.{}", found.error().code, status.klass, status.subject, status.detail);
  }
  // A host with one address, 192.0.2.`last`.
  void host(const std::string& name, int last) { names_.a(name, "192.0.2." + std::to_string(last)); }

  net::test::FakeResolver names_;
  MxOptions options_;
  test::CoreRunner runner_;
};

TEST_F(MxTest, HostsComeByPreference) {
  names_.mx("d.example", 20, "b.example");
  names_.mx("d.example", 10, "a.example");
  names_.mx("d.example", 30, "c.example");
  host("a.example", 1), host("b.example", 2), host("c.example", 3);
  EXPECT_THAT(targets(), ElementsAre("a.example 192.0.2.1", "b.example 192.0.2.2", "c.example 192.0.2.3"));
  const auto found = find();
  EXPECT_FALSE(found->implicit);
  EXPECT_EQ(found->ttl, 300s);
  EXPECT_EQ(found->targets[1].preference, 20);
  EXPECT_EQ(found->targets[1].endpoint.port, 25);
}

TEST_F(MxTest, EqualHostsShareTheLoad) {
  names_.mx("d.example", 10, "a.example");
  names_.mx("d.example", 10, "b.example");
  names_.mx("d.example", 20, "c.example");
  host("a.example", 1), host("b.example", 2), host("c.example", 3);
  std::map<std::string, int> first;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    options_.seed = seed;
    const auto order = targets();
    ++first[order.at(0)];
    EXPECT_EQ(order.at(2), "c.example 192.0.2.3");
  }
  EXPECT_THAT(first, SizeIs(2));
  EXPECT_GT(first["a.example 192.0.2.1"], 60);
  EXPECT_GT(first["b.example 192.0.2.2"], 60);
}

TEST_F(MxTest, FamiliesTakeTurns) {
  names_.mx("d.example", 10, "a.example");
  names_.a("a.example", "192.0.2.1");
  names_.a("a.example", "192.0.2.2");
  names_.aaaa("a.example", "2001:db8::1");
  const auto six = [](const std::string& target) { return target.contains(':'); };
  auto order = targets();
  ASSERT_THAT(order, SizeIs(3));
  EXPECT_TRUE(six(order[0]));
  EXPECT_FALSE(six(order[1]));
  options_.families = Families::v4_and_v6;
  order = targets();
  EXPECT_FALSE(six(order[0]));
  EXPECT_TRUE(six(order[1]));
  options_.families = Families::v4_only;
  EXPECT_THAT(targets(), UnorderedElementsAre("a.example 192.0.2.1", "a.example 192.0.2.2"));
  options_.families = Families::v6_only;
  const size_t before = names_.asked("a.example", DnsType::a);
  EXPECT_THAT(targets(), ElementsAre("a.example 2001:db8::1"));
  EXPECT_EQ(names_.asked("a.example", DnsType::a), before);
}

TEST_F(MxTest, WithoutMxTheDomainIsItsOwnHost) {
  host("d.example", 1);
  EXPECT_THAT(targets(), ElementsAre("d.example 192.0.2.1"));
  EXPECT_TRUE(find()->implicit);
}

TEST_F(MxTest, AnAliasOfADomainWithoutMxIsFollowed) {
  host("d.example", 1);
  names_.canonical("d.example", DnsType::a, "real.example");
  EXPECT_THAT(targets(), ElementsAre("d.example 192.0.2.1"));
}

TEST_F(MxTest, NullMxTakesNoMail) {
  names_.mx("d.example", 0, ".");
  host("d.example", 1);
  EXPECT_EQ(refusal(), "556 5.1.10");
}

TEST_F(MxTest, ANullMxBesideOthersIsPassedOver) {
  names_.mx("d.example", 0, ".");
  names_.mx("d.example", 10, "a.example");
  host("a.example", 1);
  EXPECT_THAT(targets(), ElementsAre("a.example 192.0.2.1"));
}

TEST_F(MxTest, WhatDoesNotExistIsRefusedForGood) {
  EXPECT_EQ(refusal("nowhere.example"), "550 5.1.2");
  names_.txt("d.example", "no address");
  EXPECT_EQ(refusal(), "550 5.1.2") << "neither MX nor address";
  names_.mx("e.example", 10, "gone.example");
  EXPECT_EQ(refusal("e.example"), "550 5.1.2") << "MX records are there and of no use (RFC 5321 §5.1)";
  host("e.example", 1);
  EXPECT_EQ(refusal("e.example"), "550 5.1.2") << "the domain's own address must not stand in";
}

TEST_F(MxTest, NameServersThatFailMeanLater) {
  for (const DnsStatus status : {DnsStatus::servfail, DnsStatus::timeout, DnsStatus::bogus, DnsStatus::no_room}) {
    names_.status("d.example", DnsType::mx, status);
    EXPECT_EQ(refusal(), "451 4.4.3") << net::text(status);
  }
  names_.mx("e.example", 10, "a.example");
  names_.status("a.example", DnsType::a, DnsStatus::servfail);
  EXPECT_EQ(refusal("e.example"), "451 4.4.3") << "one of the addresses might be there";
  names_.mx("e.example", 20, "b.example");
  host("b.example", 2);
  EXPECT_THAT(targets("e.example"), ElementsAre("b.example 192.0.2.2")) << "another host is as good";
}

TEST_F(MxTest, AllQuestionsTogetherHaveOneDeadline) {
  names_.die();
  options_.patience = 100ms;
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(refusal(), "451 4.4.3");
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
}

TEST_F(MxTest, OurselvesAndWorseHostsAreNotTried) {
  names_.mx("d.example", 10, "a.example");
  names_.mx("d.example", 20, "Gate.Example");
  names_.mx("d.example", 20, "peer.example");
  names_.mx("d.example", 30, "worse.example");
  host("a.example", 1), host("gate.example", 2), host("peer.example", 3), host("worse.example", 4);
  options_.own_names = {"gate.example."};
  EXPECT_THAT(targets(), ElementsAre("a.example 192.0.2.1"));
  options_.own_names = {};
  options_.own_endpoints = {{*mail::IpAddress::parse("192.0.2.2"), 25}};
  EXPECT_THAT(targets(), ElementsAre("a.example 192.0.2.1")) << "the address tells too";
  options_.own_endpoints = {{*mail::IpAddress::parse("192.0.2.2"), 2525}};
  EXPECT_THAT(targets(), SizeIs(4)) << "another port is not we";
}

TEST_F(MxTest, OurOwnAddressIsKnownAlsoWhereItIsPrivate) {
  names_.mx("d.example", 10, "gate.example");
  names_.mx("d.example", 20, "backup.example");
  names_.a("gate.example", "10.1.2.3");
  host("backup.example", 4);
  options_.own_endpoints = {{*mail::IpAddress::parse("10.1.2.3"), 25}};
  EXPECT_EQ(refusal(), "554 5.4.6") << "the backup would only bring it back";
}

TEST_F(MxTest, AWayThatOnlyLeadsBackIsALoop) {
  names_.mx("d.example", 10, "gate.example");
  names_.mx("d.example", 20, "worse.example");
  host("gate.example", 2), host("worse.example", 4);
  options_.own_names = {"gate.example"};
  EXPECT_EQ(refusal(), "554 5.4.6");
  EXPECT_EQ(refusal("gate.example"), "554 5.4.6") << "without MX";
  options_.own_names = {};
  options_.own_endpoints = {{*mail::IpAddress::parse("192.0.2.2"), 25}};
  EXPECT_EQ(refusal(), "554 5.4.6");
  EXPECT_EQ(refusal("[192.0.2.2]"), "554 5.4.6");
}

TEST_F(MxTest, AddressLiteralsAreAskedOfNobody) {
  EXPECT_THAT(targets("[192.0.2.9]"), ElementsAre("[192.0.2.9] 192.0.2.9"));
  EXPECT_THAT(targets("[IPv6:2001:db8::9]"), ElementsAre("[IPv6:2001:db8::9] 2001:db8::9"));
  EXPECT_EQ(refusal("[x400:whatever]"), "550 5.1.2");
  EXPECT_EQ(refusal("[127.0.0.1]"), "550 5.1.2");
  EXPECT_EQ(names_.asked(), 0U);
}

TEST_F(MxTest, HostsThatAreNoNamesArePassedOver) {
  names_.mx("d.example", 10, "192.0.2.1");
  names_.mx("d.example", 10, "a b.example");
  names_.mx("d.example", 20, "a.example");
  host("a.example", 3), host("192.0.2.1", 4);
  EXPECT_THAT(targets(), ElementsAre("a.example 192.0.2.3"));
}

TEST_F(MxTest, NobodysDnsSendsUsInside) {
  names_.mx("d.example", 10, "a.example");
  for (const char* ip : {"127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.9", "169.254.169.254", "100.64.0.1",
                         "0.0.0.0", "224.0.0.1", "255.255.255.255"}) {
    names_.a("a.example", ip);
  }
  for (const char* ip :
       {"::1", "::", "fe80::1", "fd00::1", "ff02::1", "64:ff9b::7f00:1", "2002:7f00:1::1", "::a00:1"}) {
    names_.aaaa("a.example", ip);
  }
  EXPECT_EQ(refusal(), "550 5.1.2");
  names_.a("a.example", "192.0.2.1");
  names_.aaaa("a.example", "64:ff9b::c000:201");
  EXPECT_THAT(targets(), UnorderedElementsAre("a.example 192.0.2.1", "a.example 64:ff9b::c000:201"));
  options_.allowed = {*mail::Network::parse("127.0.0.0/8")};
  EXPECT_THAT(targets(), testing::Contains("a.example 127.0.0.1"));
}

TEST_F(MxTest, HostileListsAreCut) {
  for (int i = 0; i < 100; ++i) {
    const std::string name = "h" + std::to_string(i) + ".example";
    names_.mx("d.example", static_cast<unsigned>(i), name);
    for (int k = 1; k <= 50; ++k) names_.a(name, "192.0.2." + std::to_string(k));
  }
  options_.targets = 100;
  const auto found = find();
  ASSERT_TRUE(found);
  std::map<std::string, int> of_host;
  for (const Target& target : found->targets) ++of_host[target.host];
  EXPECT_THAT(of_host, SizeIs(5));
  for (const auto& [host, count] : of_host) EXPECT_EQ(count, 5) << host;
  EXPECT_EQ(found->targets[0].host, "h0.example");
  EXPECT_LE(names_.asked(), 17U) << "nobody makes us ask for a hundred hosts";
  options_.targets = MxOptions().targets;
  EXPECT_THAT(find()->targets, SizeIs(20));
}

TEST_F(MxTest, HostsWithoutAddressesMakeRoomForOthers) {
  for (int i = 0; i < 7; ++i) names_.mx("d.example", static_cast<unsigned>(i), "h" + std::to_string(i) + ".example");
  host("h6.example", 6);
  EXPECT_THAT(targets(), ElementsAre("h6.example 192.0.2.6"));
}

TEST_F(MxTest, DnssecVouchesForTheWholeWay) {
  names_.mx("d.example", 10, "a.example");
  host("a.example", 1);
  options_.families = Families::v4_only;
  names_.authenticated("d.example", DnsType::mx);
  EXPECT_FALSE(find()->targets[0].authenticated);
  names_.authenticated("a.example", DnsType::a);
  EXPECT_TRUE(find()->targets[0].authenticated);
}

TEST_F(MxTest, InternationalDomainsAreAskedAsALabels) {
  names_.mx("xn--bcher-kva.example", 10, "a.example");
  host("a.example", 1);
  EXPECT_THAT(targets("b\u00fccher.example"), ElementsAre("a.example 192.0.2.1"));
  const auto found = find("m\u00fcller.example");
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().lines.front(), HasSubstr("xn--mller-kva.example"));
}

TEST(OwnEndpoints, WildcardsBecomeThisMachinesAddresses) {
  const auto own = own_endpoints({*net::Endpoint::parse("0.0.0.0:25"), *net::Endpoint::parse("192.0.2.1:2525"),
                                  *net::Endpoint::parse("unix:/run/x")});
  EXPECT_THAT(own, testing::Contains(*net::Endpoint::parse("127.0.0.1:25")));
  EXPECT_THAT(own, testing::Contains(*net::Endpoint::parse("192.0.2.1:2525")));
  for (const net::Endpoint& endpoint : own) EXPECT_NE(endpoint.ip, mail::IpAddress::v4(0));
}

}  // namespace
}  // namespace doorward::delivery
