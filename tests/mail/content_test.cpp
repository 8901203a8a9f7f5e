#include "mail/content.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <utility>

namespace doorward::mail {
namespace {

std::string pattern(size_t size) {
  std::string result(size, '\0');
  for (size_t i = 0; i < size; ++i) result[i] = static_cast<char>((i * 7 + i / 251) & 0xFF);
  return result;
}

// What a content holds that got `bytes` in pieces of `piece`.
std::string through(const std::string& bytes, size_t piece, size_t spill_at) {
  Content content(spill_at, std::filesystem::temp_directory_path());
  for (size_t at = 0; at < bytes.size(); at += piece) {
    EXPECT_TRUE(content.append(std::string_view(bytes).substr(at, piece)));
  }
  EXPECT_EQ(content.size(), bytes.size());
  EXPECT_TRUE(content.finish());
  EXPECT_EQ(content.size(), bytes.size());
  return std::string(content.bytes());
}

TEST(Content, HoldsWhatItWasGiven) {
  for (const size_t size : {0U, 1U, 100U, 8192U, 8193U, 65536U, 65537U, 300'000U}) {
    const std::string bytes = pattern(size);
    for (const size_t piece : {97U, 4096U, 70'000U, 1'000'000U}) {
      EXPECT_EQ(through(bytes, piece, 1 << 20), bytes) << size << " in memory by " << piece;
      EXPECT_EQ(through(bytes, piece, 1000), bytes) << size << " in a file by " << piece;
    }
  }
}

TEST(Content, EmptyIsEmpty) {
  Content content;
  EXPECT_TRUE(content.finish());
  EXPECT_EQ(content.size(), 0U);
  EXPECT_TRUE(content.bytes().empty());
}

TEST(Content, OfBytesAtHand) {
  const Content content = Content::of("Subject: x\r\n\r\n");
  EXPECT_EQ(content.bytes(), "Subject: x\r\n\r\n");
  EXPECT_EQ(content.size(), 14U);
}

TEST(Content, LargeOnesLeaveMemory) {
  Content content(1 << 16, std::filesystem::temp_directory_path());
  const std::string bytes = pattern(10'000);
  size_t most = 0;
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(content.append(bytes));
    most = std::max(most, content.in_memory());
  }
  EXPECT_LE(most, 128U << 10);
  ASSERT_TRUE(content.finish());
  EXPECT_EQ(content.in_memory(), 0U);
  EXPECT_EQ(content.bytes().size(), 3'000'000U);
  EXPECT_EQ(content.bytes().substr(2'990'000), bytes);
}

TEST(Content, LeavesNoFileBehind) {
  const auto directory = std::filesystem::temp_directory_path() / "doorward-content-test";
  std::filesystem::create_directories(directory);
  Content content(10, directory);
  ASSERT_TRUE(content.append(pattern(100'000)));
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  ASSERT_TRUE(content.finish());
  std::filesystem::remove(directory);
  EXPECT_EQ(content.bytes(), pattern(100'000));  // the mapping outlives its folder
}

TEST(Content, MovesWithItsBytes) {
  Content first(1 << 20);
  ASSERT_TRUE(first.append("abc"));
  ASSERT_TRUE(first.finish());
  Content second = std::move(first);
  EXPECT_EQ(second.bytes(), "abc");
}

TEST(Content, FailsWhereNoFileCanBeMade) {
  Content content(10, "/nonexistent/folder");
  EXPECT_TRUE(content.append("12345"));
  EXPECT_FALSE(content.append("1234567890"));
  EXPECT_FALSE(content.append("1")) << "a failed content takes no more";
  EXPECT_FALSE(content.finish());
}

TEST(Content, FailsWhereTheFileCannotGrow) {
  // A limit on the size of files stands for the full disk: write() fails in the middle.
  struct sigaction old_action{}, ignore{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &ignore, &old_action);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  rlimit small = old;
  small.rlim_cur = 100'000;
  setrlimit(RLIMIT_FSIZE, &small);
  bool failed_early = false;
  Content content(1000, std::filesystem::temp_directory_path());
  for (int i = 0; i < 100 && !failed_early; ++i) failed_early = !content.append(pattern(5000));
  Content late(1000, std::filesystem::temp_directory_path());
  const bool taken = late.append(pattern(99'000)) && late.append(pattern(5000));
  const bool finished = late.finish();
  setrlimit(RLIMIT_FSIZE, &old);
  sigaction(SIGXFSZ, &old_action, nullptr);
  EXPECT_TRUE(failed_early);
  EXPECT_FALSE(content.finish());
  EXPECT_TRUE(taken);
  EXPECT_FALSE(finished) << "what was still in the buffer did not fit either";
}

TEST(Content, TakesNothingAfterItsEnd) {
  Content content;
  ASSERT_TRUE(content.append("abc"));
  ASSERT_TRUE(content.finish());
  EXPECT_TRUE(content.finish());
  EXPECT_FALSE(content.append("d"));
  EXPECT_EQ(content.bytes(), "abc");
}

}  // namespace
}  // namespace doorward::mail
