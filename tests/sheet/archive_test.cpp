#include "sheet/archive.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <new>

#include "base/id.h"
#include "store/database.h"

namespace doorward::sheet {
namespace {

class ArchiveTest : public testing::Test {
 protected:
  ArchiveTest() : folder_(std::filesystem::temp_directory_path() / ("doorward-sheets-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~ArchiveTest() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return (folder_ / "sheets.db").string(); }
  ScoreSheet sheet_now() {
    ScoreSheet sheet;
    sheet.time = clock_.now();
    sheet.id = new_id(sheet.time);
    sheet.subject = "subject of " + sheet.id;
    return sheet;
  }

  std::filesystem::path folder_;
  ManualClock clock_{SystemTime(std::chrono::milliseconds(1'790'000'000'000))};
};

TEST_F(ArchiveTest, FindsWhatWasWrittenByItsReferenceInEitherCase) {
  auto archive = Archive::open({.path = path()}, clock_);
  ASSERT_TRUE(archive) << archive.error().text();
  const auto sheet = sheet_now();
  (*archive)->add(sheet);
  (*archive)->flush();
  std::string lower = sheet.id;
  for (char& c : lower) c = static_cast<char>(std::tolower(c));
  for (const auto& reference : {sheet.id, lower}) {
    const auto found = Archive::find(path(), reference);
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_EQ(found->subject, sheet.subject);
  }
  EXPECT_FALSE(Archive::find(path(), new_id(clock_.now())));
  EXPECT_FALSE(Archive::find(path(), "'; DROP TABLE x; --"));
}

TEST_F(ArchiveTest, WritesWhatWaitsWhenItCloses) {
  const auto sheet = sheet_now();
  {
    auto archive = Archive::open({.path = path(), .batch_every = std::chrono::hours(1)}, clock_);
    ASSERT_TRUE(archive);
    (*archive)->add(sheet);
  }
  EXPECT_TRUE(Archive::find(path(), sheet.id));
}

TEST_F(ArchiveTest, DropsDaysThatAreOver) {
  auto archive = Archive::open({.path = path(), .keep_days = 3}, clock_);
  ASSERT_TRUE(archive);
  const auto old = sheet_now();
  (*archive)->add(old);
  (*archive)->flush();
  clock_.advance(std::chrono::hours(24) * 5);
  const auto fresh = sheet_now();
  (*archive)->add(fresh);
  (*archive)->flush();
  EXPECT_FALSE(Archive::find(path(), old.id));
  EXPECT_TRUE(Archive::find(path(), fresh.id));
}

TEST_F(ArchiveTest, GoesOnAfterAFailure) {
  auto archive = Archive::open({.path = path()}, clock_);
  ASSERT_TRUE(archive);
  {
    auto other = store::Database::open(path());
    ASSERT_TRUE(other);
    // Takes the name that the day's table would have, so that writing must fail.
    ASSERT_TRUE((*other)->execute("CREATE TABLE sheets_20260921 (wrong INTEGER)"));
  }
  (*archive)->add(sheet_now());
  (*archive)->flush();
  {
    auto other = store::Database::open(path());
    ASSERT_TRUE((*other)->execute("DROP TABLE sheets_20260921"));
  }
  const auto second = sheet_now();
  (*archive)->add(second);
  (*archive)->flush();
  EXPECT_TRUE(Archive::find(path(), second.id));
}

// A clock whose next question finds no memory, as anything that the writer does may.
class FailingClock final : public Clock {
 public:
  SystemTime now() const override {
    if (fails.exchange(false)) throw std::bad_alloc();
    return SystemTime(std::chrono::milliseconds(1'790'000'000'000));
  }
  SteadyTime steady() const override { return {}; }
  mutable std::atomic<bool> fails = false;
};

TEST_F(ArchiveTest, GoesOnAfterAnException) {
  FailingClock clock;
  auto archive = Archive::open({.path = path()}, clock);
  ASSERT_TRUE(archive);
  const auto lost = sheet_now(), kept = sheet_now();
  clock.fails = true;
  (*archive)->add(lost);
  (*archive)->flush();
  EXPECT_FALSE(clock.fails);
  (*archive)->add(kept);
  (*archive)->flush();
  EXPECT_FALSE(Archive::find(path(), lost.id));
  EXPECT_TRUE(Archive::find(path(), kept.id));
}

TEST_F(ArchiveTest, WhatWaitsIsBoundedByMemoryToo) {
  auto archive = Archive::open({.path = path(), .batch_every = std::chrono::hours(1), .most_octets = 100'000}, clock_);
  ASSERT_TRUE(archive);
  auto large = sheet_now();
  large.groups.emplace_back().recipients.assign(500, std::string(100, 'x'));
  EXPECT_GT(footprint(large), 50'000U);
  EXPECT_LT(footprint(large), 100'000U);
  (*archive)->add(large);
  auto second = large;
  second.id = new_id(clock_.now());
  (*archive)->add(second);
  const auto small = sheet_now();
  (*archive)->add(small);
  (*archive)->flush();
  EXPECT_TRUE(Archive::find(path(), large.id));
  EXPECT_FALSE(Archive::find(path(), second.id));
  EXPECT_TRUE(Archive::find(path(), small.id));
  (*archive)->add(second);  // there is room again
  (*archive)->flush();
  EXPECT_TRUE(Archive::find(path(), second.id));
}

}  // namespace
}  // namespace doorward::sheet
