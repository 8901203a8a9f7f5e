#include "gateway/lists.h"

#include <gtest/gtest.h>

#include "delivery/core_runner.h"
#include "net/fake_resolver.h"

namespace doorward::gateway {
namespace {

using namespace std::chrono_literals;
using filter::BlockList;
using filter::ListKind;

class ListsTest : public testing::Test {
 protected:
  ListsTest() {
    names_.a("2.0.0.127.ip.list", "127.0.0.2");
    names_.a("test.dom.list", "127.0.0.2");
    options_.check_every = options_.check_again_after = 0s;
    options_.patience = 200ms;
    client_.ip = *mail::IpAddress::parse("192.0.2.7");
  }
  static BlockList list(const std::string& zone, ListKind kind = ListKind::ip) {
    return {.name = zone,
            .zone = zone,
            .kind = kind,
            .codes = {filter::parse_list_code("127.0.0.2-9 = 3").value()},
            .servers = {}};
  }
  void start(std::vector<BlockList> lists = {list("ip.list"), list("dom.list", ListKind::domain)}) {
    lists_ = std::make_unique<Lists>(options_, std::move(lists));
    check();
  }
  void check() {
    runner_.run([&]() -> Task<void> { co_await lists_->check(runner_.core(), names_); });
  }
  filter::Facts ask(const std::string& raw = "From: a@evil.com\r\n\r\n") {
    const auto message = mime::Message::parse(raw);
    filter::Facts facts;
    runner_.run([&]() -> Task<void> {
      (void)co_await lists_->ask(runner_.core(), names_, client_, envelope_, message,
                                 std::chrono::steady_clock::now() + 200ms, facts);
    });
    return facts;
  }

  test::CoreRunner runner_;
  net::test::FakeResolver names_;
  ListsOptions options_;
  std::unique_ptr<Lists> lists_;
  mail::Client client_;
  mail::Envelope envelope_;
};

TEST_F(ListsTest, WhatIsListedIsAFact) {
  names_.a("7.2.0.192.ip.list", "127.0.0.4");
  names_.a("evil.com.dom.list", "127.0.0.2");
  start();
  const auto facts = ask();
  ASSERT_EQ(facts.list_hits.size(), 2U);
  EXPECT_EQ(facts.list_hits[0].object, "192.0.2.7");
  EXPECT_EQ(facts.list_hits[0].where, "client");
  EXPECT_EQ(facts.list_hits[0].codes, "127.0.0.4");
  EXPECT_EQ(facts.list_hits[0].points, sheet::Points::of(3));
  EXPECT_EQ(facts.list_hits[1].object, "evil.com");
  EXPECT_TRUE(facts.skipped.empty());
}

TEST_F(ListsTest, NothingIsAskedBeforeAListWasFoundWell) {
  names_.a("7.2.0.192.ip.list", "127.0.0.4");
  lists_ = std::make_unique<Lists>(options_, std::vector{list("ip.list")});
  EXPECT_FALSE(lists_->is_any_used());
  EXPECT_TRUE(ask().list_hits.empty());
  EXPECT_EQ(names_.asked("7.2.0.192.ip.list", net::DnsType::a), 0U);
  check();
  EXPECT_EQ(ask().list_hits.size(), 1U);
}

// The list is gone, and whoever has its name now answers everything.
TEST_F(ListsTest, AListThatAnswersEverythingIsNotUsed) {
  start();
  ASSERT_TRUE(lists_->is_used(0));
  names_.a("1.0.0.127.ip.list", "127.0.0.2");
  check();
  EXPECT_FALSE(lists_->is_used(0));
  EXPECT_TRUE(lists_->is_used(1)) << "the others are";
}

TEST_F(ListsTest, AListThatAnswersNothingIsNotUsed) {
  start({list("empty.list"), list("sold.list")});
  EXPECT_FALSE(lists_->is_used(0));
  names_.a("2.0.0.127.sold.list", "192.0.2.80");
  check();
  EXPECT_FALSE(lists_->is_used(1)) << "a web server is no answer";
}

TEST_F(ListsTest, AListThatRefusesUsIsNotUsed) {
  names_.a("2.0.0.127.shy.list", "127.255.255.254");
  start({list("shy.list")});
  EXPECT_FALSE(lists_->is_used(0));
}

TEST_F(ListsTest, AListThatComesBackIsUsedAgain) {
  names_.status("2.0.0.127.ip.list", net::DnsType::a, net::DnsStatus::servfail);
  start({list("ip.list")});
  EXPECT_FALSE(lists_->is_used(0));
  names_.status("2.0.0.127.ip.list", net::DnsType::a, net::DnsStatus::found);
  check();
  EXPECT_TRUE(lists_->is_used(0));
}

// Senders can see to it that much of what is asked is listed, and must not be able to switch a list off.
TEST_F(ListsTest, AFloodOfListedMailSwitchesOffNothing) {
  names_.a("7.2.0.192.ip.list", "127.0.0.4");
  options_.check_every = 1h;
  start({list("ip.list")});
  for (int i = 0; i < 600; ++i) ask();
  check();
  EXPECT_TRUE(lists_->is_used(0)) << "its test entries are right";
  names_.a("1.0.0.127.ip.list", "127.0.0.2");
  check();
  EXPECT_TRUE(lists_->is_used(0)) << "not asked before they are due";
  for (int i = 0; i < 600; ++i) ask();
  check();
  EXPECT_FALSE(lists_->is_used(0)) << "or where nearly everything is listed: then at once";
}

TEST_F(ListsTest, AListWithoutTestEntriesThatListsNearlyEverythingIsSwitchedOffForAWhile) {
  names_.a("7.2.0.192.ip.list", "127.0.0.4");
  auto untested = list("ip.list");
  untested.tested = false;
  start({untested});
  for (int i = 0; i < 500; ++i) ask();
  check();
  EXPECT_FALSE(lists_->is_used(0));
  check();
  EXPECT_TRUE(lists_->is_used(0));
}

TEST_F(ListsTest, SilenceCostsNothingAndIsRecorded) {
  names_.a("7.2.0.192.ip.list", "127.0.0.4");
  start();
  names_.die();
  const auto facts = ask();
  EXPECT_TRUE(facts.list_hits.empty());
  ASSERT_EQ(facts.skipped.size(), 2U);
  EXPECT_EQ(facts.skipped[0], "blocklists: ip.list did not answer");
}

TEST_F(ListsTest, OffMeansOff) {
  auto off = list("ip.list");
  off.on = false;
  start({off});
  EXPECT_TRUE(lists_->all().empty());
  options_.on = false;
  start();
  EXPECT_TRUE(lists_->all().empty());
}

}  // namespace
}  // namespace doorward::gateway
