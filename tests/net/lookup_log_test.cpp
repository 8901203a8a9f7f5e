#include "net/lookup_log.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "net/fake_resolver.h"
#include "net/loop.h"

namespace doorward::net {
namespace {

using namespace std::chrono_literals;

TEST(LookupLog, NotesWhatIsAskedUpToItsBudget) {
  test::FakeResolver names;
  names.txt("a.example", "hello");
  test::Loop loop;
  LookupLog log(names, 2);
  std::vector<DnsStatus> told;
  loop.run([&]() -> Task<void> {
    const SteadyTime deadline = std::chrono::steady_clock::now() + 5s;
    for (const char* name : {"a.example", "b.example", "a.example"}) {
      told.push_back((co_await log.lookup(loop.core(), name, DnsType::txt, deadline)).status);
    }
  });
  EXPECT_EQ(told, (std::vector{DnsStatus::found, DnsStatus::nxdomain, DnsStatus::no_room}));
  ASSERT_EQ(log.entries().size(), 2U);
  EXPECT_EQ(log.entries()[0].name, "a.example");
  EXPECT_EQ(log.entries()[1].status, DnsStatus::nxdomain);
  EXPECT_TRUE(log.exhausted());
  EXPECT_EQ(names.asked(), 2U);
}

// A resolver that has every answer at hand.
class Knowing final : public Resolver {
 public:
  Task<DnsAnswer> lookup(Core&, std::string, DnsType, SteadyTime) override { co_return DnsAnswer(); }
  std::optional<DnsAnswer> known(std::string_view, DnsType) override { return dns_failure(DnsStatus::nxdomain); }
};

TEST(LookupLog, WhatIsKnownAtOnceCountsAndIsNotedToo) {
  Knowing names;
  LookupLog log(names, 1);
  EXPECT_TRUE(log.known("a.example", DnsType::a));
  EXPECT_FALSE(log.known("b.example", DnsType::a)) << "the budget";
  ASSERT_EQ(log.entries().size(), 1U);
  EXPECT_EQ(log.entries()[0].name, "a.example");
  EXPECT_EQ(log.entries()[0].status, DnsStatus::nxdomain);
}

// A resolver that is crowded, and counts how many wait at once.
class Crowded final : public Resolver {
 public:
  Task<DnsAnswer> lookup(Core& core, std::string, DnsType, SteadyTime) override {
    most_ = std::max(most_, ++waiting_);
    co_await core.sleep(5ms);
    --waiting_;
    co_return dns_failure(DnsStatus::nxdomain);
  }
  bool is_crowded() const override { return crowded_; }
  bool crowded_ = true;
  size_t waiting_ = 0, most_ = 0;
};

TEST(LookupLog, AsksFewAtOnceWhileTheResolverIsCrowded) {
  Crowded names;
  test::Loop loop;
  LookupLog log(names, 100);
  const auto ask = [&](std::chrono::milliseconds patience) {
    names.most_ = 0;
    std::vector<DnsAnswer> answers;
    loop.run([&]() -> Task<void> {
      std::vector<Task<DnsAnswer>> all;
      for (int number = 0; number < 30; ++number) {
        all.push_back(log.lookup(loop.core(), std::to_string(number) + ".example", DnsType::a,
                                 std::chrono::steady_clock::now() + patience));
      }
      answers = co_await when_all(std::move(all));
    });
    return static_cast<size_t>(std::ranges::count(answers, DnsStatus::nxdomain, &DnsAnswer::status));
  };
  EXPECT_EQ(ask(10s), 30U);
  EXPECT_EQ(names.most_, 8U);
  EXPECT_EQ(ask(1ms), 8U) << "those whose turn does not come in time have no answer";
  names.crowded_ = false;
  EXPECT_EQ(ask(10s), 30U);
  EXPECT_EQ(names.most_, 30U);
}

}  // namespace
}  // namespace doorward::net
