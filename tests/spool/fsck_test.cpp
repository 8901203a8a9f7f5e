#include "spool/fsck.h"

#include "spool_fixture.h"

namespace doorward::spool {
namespace {

class FsckTest : public SpoolTest {
 protected:
  // Three mails in one segment; where the second one's record begins.
  uint64_t three_mails() {
    options_.segment = 1 << 20;
    uint64_t second = 0;
    const auto spool = open(disk_);
    put(*spool);
    second = disk_.contents(segment()).size();
    put(*spool);
    put(*spool, {"a@in.example", "b@in.example"});
    return second;
  }
  std::string segment() const { return options_.directory + "/" + journal::segment_name(1); }
};

TEST_F(FsckTest, ASoundSpoolIsSound) {
  three_mails();
  const auto found = fsck(disk_, options_.directory, false);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->is_sound()) << to_text(*found);
  EXPECT_EQ(found->mails, 3U);
  EXPECT_EQ(found->recipients, 4U);
}

TEST_F(FsckTest, DamageIsToldAndMendedAndTheRestIsThere) {
  const uint64_t second = three_mails();
  auto& bytes = disk_.contents(segment());
  bytes[second + 60] = static_cast<char>(bytes[second + 60] ^ 1);
  auto found = fsck(disk_, options_.directory, true);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->is_sound());
  EXPECT_EQ(found->mails, 2U);
  ASSERT_EQ(found->segments.size(), 1U);
  ASSERT_EQ(found->segments[0].damage.size(), 1U);
  EXPECT_EQ(found->segments[0].damage[0].offset, second);
  EXPECT_EQ(found->repaired.size(), 1U) << to_text(*found);
  EXPECT_EQ(disk_.contents(segment() + ".damaged").size(), disk_.contents(segment()).size());

  found = fsck(disk_, options_.directory, false);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->is_sound()) << to_text(*found);
  EXPECT_EQ(found->mails, 2U);
  EXPECT_EQ(open(disk_)->figures().mails, 2U);
}

TEST_F(FsckTest, ALostHeaderIsTakenFromTheIndex) {
  three_mails();
  disk_.contents(segment()).replace(0, 40, 40, 'x');
  auto found = fsck(disk_, options_.directory, true);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->mails, 0U);
  EXPECT_EQ(found->repaired.size(), 1U) << to_text(*found);
  found = fsck(disk_, options_.directory, false);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->is_sound()) << to_text(*found);
  EXPECT_EQ(found->mails, 3U);
}

TEST_F(FsckTest, ABrokenIndexIsNoHarmAndMade) {
  three_mails();
  auto& bytes = disk_.contents(options_.directory + "/" + journal::index_name(1));
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  const auto found = fsck(disk_, options_.directory, true);
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->is_sound());
  EXPECT_EQ(found->mails, 3U);
  EXPECT_TRUE(fsck(disk_, options_.directory, false)->is_sound());
}

}  // namespace
}  // namespace doorward::spool
