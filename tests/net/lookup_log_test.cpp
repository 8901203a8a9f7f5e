#include "net/lookup_log.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace doorward::net
