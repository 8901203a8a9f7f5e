#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <stdexcept>
#include <thread>

#include "base/guarded.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/offload.h"
#include "base/task.h"

namespace doorward {
namespace {

TEST(Id, CarriesItsTimeAndSortsByIt) {
  const SystemTime time(std::chrono::milliseconds(1'790'000'000'123));
  const auto id = new_id(time);
  EXPECT_TRUE(is_id(id));
  EXPECT_EQ(id_time(id), time);
  EXPECT_LT(id, new_id(time + std::chrono::milliseconds(1)));
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(new_id(time));
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(Id, KnowsWhatIsNone) {
  EXPECT_FALSE(is_id(""));
  EXPECT_FALSE(is_id("01JD000000000000000000000"));
  EXPECT_FALSE(is_id("81JD0000000000000000000000"));  // would not fit 48 bits of time
  EXPECT_FALSE(is_id("01JD00000000000000000000U0"));  // no U in Crockford's alphabet
  EXPECT_TRUE(is_id("01jd0000000000000000000000"));
}

TEST(Json, EscapesWhatWouldBreakALine) {
  std::string out;
  append_json_string(out, "a\"b\\c\n\x01\xC3\xA9\xC3\x28\xED\xA0\x80");
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\n\\u0001\xC3\xA9\\ufffd(\\ufffd\\ufffd\\ufffd\"");
}

TEST(Json, EscapesControlsOfTheUpperHalfToo) {
  std::string out;
  append_json_string(out,
                     "\xC2\x80 \xC2\x9B"
                     "31m \xC2\x9F\xC2\xA0\xC3\x9B");
  EXPECT_EQ(out, "\"\\u0080 \\u009b31m \\u009f\xC2\xA0\xC3\x9B\"");
}

TEST(Metrics, RenderInPrometheusForm) {
  metrics::counter("doorward_test_total", "A test.", {{"kind", "a\"b"}}).add(3);
  metrics::histogram("doorward_test_seconds", "A test.", {0.1, 1}).observe(0.5);
  const auto text = metrics::render();
  EXPECT_NE(text.find("# TYPE doorward_test_total counter\ndoorward_test_total{kind=\"a\\\"b\"} 3\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("doorward_test_seconds_bucket{le=\"0.1\"} 0\ndoorward_test_seconds_bucket{le=\"1\"} 1\n"
                      "doorward_test_seconds_bucket{le=\"+Inf\"} 1\ndoorward_test_seconds_sum 0.5\n"),
            std::string::npos)
      << text;
  EXPECT_THROW(metrics::gauge("doorward_test_total", "A test."), std::logic_error);
}

TEST(Offload, RunsAllThatWasTakenAndRefusesWhatIsTooMuch) {
  std::atomic<int> done = 0;
  std::atomic<bool> go = false;
  int taken = 0;
  {
    Offload pool(1, 5);
    for (int i = 0; i < 20; ++i) {
      taken += pool.post([&] {
        while (!go) std::this_thread::yield();
        ++done;
      });
    }
    EXPECT_GE(taken, 5);
    EXPECT_LE(taken, 6);  // five wait, one may be at work
    go = true;
  }
  EXPECT_EQ(done, taken);
}

TEST(Offload, GoesOnAfterAnException) {
  std::atomic<int> done = 0;
  {
    Offload pool(1);
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(pool.post([&] {
        ++done;
        throw std::bad_alloc();
      }));
    }
  }
  EXPECT_EQ(done, 3);
  EXPECT_NE(metrics::render().find("doorward_exceptions_total{where=\"offload\"} 3"), std::string::npos);
}

Task<int> twice(int number) { co_return 2 * number; }
Task<int> fails() {
  throw std::runtime_error("no");
  co_return 0;
}
Task<int> deep(int level) {
  if (level == 0) co_return 1;
  co_return co_await deep(level - 1) + 1;
}

TEST(Guarded, WhatIsSpawnedMayThrowWithoutHarm) {
  static constexpr auto breaks = []() -> Task<void> { (void)co_await fails(); };
  spawn(guarded_task("test", breaks()));
  EXPECT_FALSE(guarded("test", [] { throw std::bad_alloc(); }));
  EXPECT_TRUE(guarded("test", [] {}));
  EXPECT_NE(metrics::render().find("doorward_exceptions_total{where=\"test\"} 2"), std::string::npos);
}

TEST(Task, ReturnsValuesAndPassesExceptionsOn) {
  int result = 0;
  bool caught = false;
  const auto run = [](int& out, bool& seen) -> Task<void> {
    out = co_await twice(21);
    try {
      co_await fails();
    } catch (const std::runtime_error&) {
      seen = true;
    }
  };
  spawn(run(result, caught));
  EXPECT_EQ(result, 42);
  EXPECT_TRUE(caught);
}

TEST(Task, NeedsNoStackForLongChains) {
  int result = 0;
  const auto run = [](int& out) -> Task<void> { out = co_await deep(2'000); };
  spawn(run(result));
  EXPECT_EQ(result, 2'001);
}

TEST(Task, WhenAllKeepsOrderAndRethrows) {
  std::vector<int> results;
  bool caught = false;
  const auto run = [](std::vector<int>& out, bool& seen) -> Task<void> {
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 5; ++i) tasks.push_back(twice(i));
    out = co_await when_all(std::move(tasks));
    std::vector<Task<int>> bad;
    bad.push_back(twice(1));
    bad.push_back(fails());
    try {
      (void)co_await when_all(std::move(bad));
    } catch (const std::runtime_error&) {
      seen = true;
    }
  };
  spawn(run(results, caught));
  EXPECT_EQ(results, (std::vector<int>{0, 2, 4, 6, 8}));
  EXPECT_TRUE(caught);
}

}  // namespace
}  // namespace doorward
