#include "trust/kept.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace doorward::trust {
namespace {

namespace fs = std::filesystem;

uint64_t worth(const Cells& cells, uint32_t) { return cells.second; }

class KeptTest : public testing::Test {
 protected:
  KeptTest() { fs::remove_all(directory_); }
  ~KeptTest() override { fs::remove_all(directory_); }
  std::unique_ptr<Kept> open(bool read_only = false) {
    auto opened =
        Kept::open({.name = "things", .entries = 64, .directory = directory_, .read_only = read_only, .log = 4096});
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().text());
    return opened ? std::move(*opened) : nullptr;
  }
  static void put(Kept& kept, uint64_t hash, uint64_t value) {
    kept.change(hash, worth, 0, [&](const Cells& stored, bool) { return Cells{stored.head, value, 0}; });
  }
  const std::string directory_ = fs::temp_directory_path() / ("doorward-kept-" + std::to_string(::getpid()));
};

constexpr uint64_t kHash = 0x123456789ABCDEF0;

TEST_F(KeptTest, begins_a_new_log_when_the_old_one_is_long) {
  const auto kept = open();
  for (uint64_t value = 1; value <= 500; ++value) {
    put(*kept, kHash, value);
    ASSERT_TRUE(kept->flush());
  }
  size_t octets = 0;
  for (const auto& entry : fs::directory_iterator(directory_)) octets += entry.file_size();
  EXPECT_LT(octets, 3u * 4096);
  EXPECT_EQ(open(true)->table().find(kHash).second, 500u);
}

// Of a large table a snapshot takes seconds. Who is killed meanwhile has lost nothing that is older than the flush.
TEST_F(KeptTest, what_is_new_is_durable_before_a_snapshot_is_begun) {
  const auto kept = open();
  fs::create_directory(directory_ + "/things.snapshot.new");
  bool failed = false;
  uint64_t value = 0;
  while (!failed && value < 500) {
    put(*kept, kHash, ++value);
    failed = !kept->flush();
  }
  EXPECT_TRUE(failed) << "the snapshot cannot be written";
  EXPECT_EQ(open(true)->table().find(kHash).second, value);
  fs::remove(directory_ + "/things.snapshot.new");
  EXPECT_TRUE(kept->flush()) << "and is tried again";
}

}  // namespace
}  // namespace doorward::trust
