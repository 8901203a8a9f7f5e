#include "net/core.h"

#include <gtest/gtest.h>

#include <atomic>

#include "net/loop.h"

namespace doorward::net {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

TEST(Core, SleepTakesItsTime) {
  test::Loop loop;
  const auto before = Steady::now();
  loop.run([&]() -> Task<void> { co_await loop.core().sleep(30ms); });
  EXPECT_GE(Steady::now() - before, 30ms);
}

TEST(Core, SleepsEndInTheOrderOfTheirTimes) {
  test::Loop loop;
  std::vector<int> order;
  static constexpr auto sleeper = [](Core& core, std::vector<int>& ends, int time) -> Task<int> {
    co_await core.sleep(std::chrono::milliseconds(time));
    ends.push_back(time);
    co_return time;
  };
  loop.run([&]() -> Task<void> {
    std::vector<Task<int>> all;
    for (int time : {40, 10, 70, 25, 55}) all.push_back(sleeper(loop.core(), order, time));
    const auto results = co_await when_all(std::move(all));
    EXPECT_EQ(results.size(), 5U);
  });
  EXPECT_EQ(order, (std::vector<int>{10, 25, 40, 55, 70}));
}

TEST(Core, StoppingEndsSleepsEarly) {
  std::atomic<bool> ended = false;
  const auto before = Steady::now();
  {
    Cores cores(2);
    cores.start();
    static constexpr auto sleeper = [](Core& core, std::atomic<bool>& flag) -> Task<void> {
      co_await core.sleep(1h);
      flag = true;
    };
    std::promise<void> asleep;
    cores.at(1).post([&] {
      spawn(sleeper(cores.at(1), ended));
      asleep.set_value();
    });
    asleep.get_future().get();
  }
  EXPECT_TRUE(ended);
  EXPECT_LT(Steady::now() - before, 10s);
}

TEST(Core, OffloadedWorkRunsElsewhereAndReturnsHome) {
  test::Loop loop;
  Offload pool(1);
  loop.run([&]() -> Task<void> {
    const auto home = std::this_thread::get_id();
    std::thread::id elsewhere;
    const bool ran = co_await offloaded(loop.core(), pool, [&] { elsewhere = std::this_thread::get_id(); });
    EXPECT_TRUE(ran);
    EXPECT_NE(elsewhere, home);
    EXPECT_NE(elsewhere, std::thread::id{});
    EXPECT_EQ(std::this_thread::get_id(), home);
  });
}

TEST(Core, WhatOffloadedWorkThrowsIsThrownHere) {
  test::Loop loop;
  Offload pool(1);
  loop.run([&]() -> Task<void> {
    bool thrown = false;
    try {
      (void)co_await offloaded(loop.core(), pool, [] { throw std::bad_alloc(); });
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    EXPECT_TRUE(thrown);
  });
}

TEST(Core, AFullPoolTakesNoWork) {
  test::Loop loop;
  Offload pool(1, 0);
  loop.run([&]() -> Task<void> {
    bool worked = false;
    const bool ran = co_await offloaded(loop.core(), pool, [&] { worked = true; });
    EXPECT_FALSE(ran);
    EXPECT_FALSE(worked);
  });
}

TEST(Core, SwitchToGoesOverToTheOtherCore) {
  Cores cores(2);
  cores.start();
  std::promise<std::pair<std::thread::id, std::thread::id>> threads;
  static constexpr auto walk = [](Core& to, auto& result) -> Task<void> {
    const auto first = std::this_thread::get_id();
    co_await to.switch_to();
    result.set_value({first, std::this_thread::get_id()});
  };
  cores.at(0).post([&] { spawn(walk(cores.at(1), threads)); });
  const auto [first, second] = threads.get_future().get();
  EXPECT_NE(first, second);
}

TEST(Core, AnExceptionFromPostedWorkDoesNotEndTheCore) {
  test::Loop loop;
  loop.core().post([] { throw std::runtime_error("broken invariant"); });
  bool ran = false;
  loop.run([&]() -> Task<void> {
    ran = true;
    co_return;
  });
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace doorward::net
