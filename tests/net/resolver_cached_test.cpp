// Deadlines, coalescing and bounds, over a source whose answers come when the test says.
#include "net/resolver_cached.h"

#include <gtest/gtest.h>

#include <deque>

#include "net/loop.h"

namespace doorward::net {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

struct Held {
  std::string name;
  DnsSource::Done done;
};

class HeldSource final : public DnsSource {
 public:
  explicit HeldSource(std::deque<Held>& held) : held_(held) {}
  void ask(std::string name, DnsType /*type*/, Done done) override {
    held_.push_back({std::move(name), std::move(done)});
  }

 private:
  std::deque<Held>& held_;
};

class CachedResolverTest : public testing::Test {
 public:
  void make(const ResolverOptions& options = {}) { resolver_ = cached(std::make_unique<HeldSource>(held_), options); }
  Task<DnsAnswer> lookup(std::string name, std::chrono::milliseconds patience = 10s) {
    co_return co_await resolver_->lookup(loop_.core(), name, DnsType::a, Steady::now() + patience);
  }
  static DnsAnswer found() {
    DnsAnswer answer = dns_failure(DnsStatus::found);
    answer.ttl = 60s;
    answer.records = std::make_shared<DnsRecords>(DnsRecords{DnsType::a, "", {{'\x7F', '\0', '\0', '\1'}}});
    return answer;
  }
  void answer_all(const DnsAnswer& answer) {
    while (!held_.empty()) {
      auto done = std::move(held_.front().done);
      held_.pop_front();
      done(answer);
    }
  }

  std::deque<Held> held_;  // only looked at on the core
  test::Loop loop_;
  std::unique_ptr<Resolver> resolver_;
};

TEST_F(CachedResolverTest, ALateAnswerStillFillsTheCache) {
  make();
  loop_.run([&]() -> Task<void> {
    EXPECT_EQ((co_await lookup("late.example", 20ms)).status, DnsStatus::timeout);
    EXPECT_EQ(held_.size(), 1U);
    answer_all(found());
    const DnsAnswer again = co_await lookup("late.example");
    EXPECT_TRUE(again.found());
    EXPECT_TRUE(again.cached);
  });
}

TEST_F(CachedResolverTest, WhatIsCachedIsKnownWithoutWaiting) {
  make();
  loop_.run([&]() -> Task<void> {
    EXPECT_FALSE(resolver_->known("one.example", DnsType::a));
    EXPECT_TRUE(held_.empty()) << "nobody was asked";
    EXPECT_EQ((co_await lookup("one.example", 20ms)).status, DnsStatus::timeout);
    answer_all(found());
    const auto known = resolver_->known("ONE.example.", DnsType::a);
    EXPECT_TRUE(known && known->found() && known->cached);
    EXPECT_FALSE(resolver_->known("one.example", DnsType::txt));
    EXPECT_FALSE(resolver_->known("", DnsType::a));
  });
}

TEST_F(CachedResolverTest, EachWaitsForItsOwnDeadline) {
  make();
  loop_.run([&]() -> Task<void> {
    static constexpr auto later = [](CachedResolverTest& test) -> Task<DnsAnswer> {
      co_await test.loop_.core().sleep(80ms);
      test.answer_all(found());
      co_return DnsAnswer();
    };
    std::vector<Task<DnsAnswer>> all;
    all.push_back(lookup("one.example", 20ms));
    all.push_back(lookup("one.example", 5s));
    all.push_back(later(*this));
    const auto answers = co_await when_all(std::move(all));
    EXPECT_EQ(answers[0].status, DnsStatus::timeout);
    EXPECT_TRUE(answers[1].found());
    EXPECT_FALSE(answers[1].cached);
  });
}

TEST_F(CachedResolverTest, MoreThanTheBoundFindNoRoom) {
  ResolverOptions options;
  options.in_flight = 2;
  make(options);
  loop_.run([&]() -> Task<void> {
    std::vector<Task<DnsAnswer>> all;
    for (const char* name : {"a.example", "b.example", "c.example", "a.example"}) all.push_back(lookup(name, 30ms));
    const auto answers = co_await when_all(std::move(all));
    EXPECT_EQ(answers[0].status, DnsStatus::timeout);
    EXPECT_EQ(answers[1].status, DnsStatus::timeout);
    EXPECT_EQ(answers[2].status, DnsStatus::no_room);
    EXPECT_EQ(answers[3].status, DnsStatus::timeout) << "who joins needs no room";
    EXPECT_EQ(held_.size(), 2U);
    answer_all(found());
    EXPECT_EQ((co_await lookup("d.example", 10ms)).status, DnsStatus::timeout) << "there is room again";
  });
}

TEST_F(CachedResolverTest, WhatNobodyWaitsForAnyMoreTakesNobodysRoom) {
  ResolverOptions options;
  options.in_flight = 2;
  make(options);
  loop_.run([&]() -> Task<void> {
    static constexpr auto dead = [](CachedResolverTest& test, int round) -> Task<void> {
      std::vector<Task<DnsAnswer>> all;
      for (const char* name : {"a", "b"}) all.push_back(test.lookup(name + std::to_string(round) + ".example", 10ms));
      for (const auto& answer : co_await when_all(std::move(all))) EXPECT_EQ(answer.status, DnsStatus::timeout);
    };
    EXPECT_FALSE(resolver_->is_crowded());
    // Their name servers never answer, and their lookups have ended: there is room for others.
    for (int round = 0; round < 4; ++round) co_await dead(*this, round);
    EXPECT_EQ(held_.size(), 8U);
    EXPECT_TRUE(resolver_->is_crowded());
    // But the source is not filled without bound.
    EXPECT_EQ((co_await lookup("c.example", 10ms)).status, DnsStatus::no_room);
    answer_all(found());
    EXPECT_FALSE(resolver_->is_crowded());
    EXPECT_TRUE((co_await lookup("a0.example", 10ms)).found()) << "late answers fill the cache";
    EXPECT_EQ((co_await lookup("c.example", 10ms)).status, DnsStatus::timeout);
  });
}

TEST_F(CachedResolverTest, WhatWasGivenUpIsAskedAnewAndAnsweredByEither) {
  make();
  loop_.run([&]() -> Task<void> {
    EXPECT_EQ((co_await lookup("a.example", 10ms)).status, DnsStatus::timeout);
    static constexpr auto later = [](CachedResolverTest& test) -> Task<DnsAnswer> {
      co_await test.loop_.core().sleep(20ms);
      auto done = std::move(test.held_.front().done);
      test.held_.pop_front();
      done(found());
      co_return DnsAnswer();
    };
    std::vector<Task<DnsAnswer>> all;
    all.push_back(lookup("a.example", 10s));
    all.push_back(later(*this));
    EXPECT_TRUE((co_await when_all(std::move(all)))[0].found());
    EXPECT_EQ(held_.size(), 1U);
    answer_all(found());
    EXPECT_FALSE(resolver_->is_crowded());
  });
}

TEST_F(CachedResolverTest, ADeadlineInThePastAsksNobodyButTheCache) {
  make();
  loop_.run([&]() -> Task<void> {
    EXPECT_EQ((co_await lookup("x.example", -1ms)).status, DnsStatus::timeout);
    EXPECT_TRUE(held_.empty());
  });
}

TEST_F(CachedResolverTest, TypesAreDifferentQuestions) {
  make();
  loop_.run([&]() -> Task<void> {
    co_await lookup("x.example", 5ms);
    co_await resolver_->lookup(loop_.core(), "x.example", DnsType::aaaa, Steady::now() + 5ms);
    EXPECT_EQ(held_.size(), 2U);
  });
}

TEST_F(CachedResolverTest, AStoppingCoreResumesWhoWaits) {
  make();
  std::promise<DnsStatus> end;
  {
    Cores cores(1);
    cores.start();
    static constexpr auto wait = [](Resolver& resolver, Core& core, std::promise<DnsStatus>& status) -> Task<void> {
      status.set_value((co_await resolver.lookup(core, "x.example", DnsType::a, Steady::now() + 1h)).status);
    };
    std::promise<void> asked;
    cores.at(0).post([&] {
      spawn(wait(*resolver_, cores.at(0), end));
      asked.set_value();
    });
    asked.get_future().get();
  }
  EXPECT_EQ(end.get_future().get(), DnsStatus::timeout);
  answer_all(found());  // for a core that is gone
}

TEST_F(CachedResolverTest, DestroyingItResumesWhoWaits) {
  make();
  loop_.run([&]() -> Task<void> {
    static constexpr auto destroy = [](CachedResolverTest& test) -> Task<DnsAnswer> {
      test.resolver_.reset();
      co_return DnsAnswer();
    };
    std::vector<Task<DnsAnswer>> all;
    all.push_back(lookup("x.example", 1h));
    all.push_back(destroy(*this));
    const auto answers = co_await when_all(std::move(all));
    EXPECT_EQ(answers[0].status, DnsStatus::servfail);
  });
}

}  // namespace
}  // namespace doorward::net
