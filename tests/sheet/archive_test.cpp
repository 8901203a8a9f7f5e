#include "sheet/archive.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

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

}  // namespace
}  // namespace doorward::sheet
