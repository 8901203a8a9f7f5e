#include "mime/edit.h"

#include <gtest/gtest.h>

namespace doorward::mime {
namespace {

std::string applied(const Edits& edits, std::string_view raw) {
  std::string all;
  for (const std::string_view piece : edits.apply(raw)) all += piece;
  EXPECT_EQ(all.size(), edits.size_after(raw.size()));
  return all;
}

TEST(Edits, NoneLeavesTheBytes) {
  const Edits edits;
  EXPECT_TRUE(edits.empty());
  EXPECT_EQ(applied(edits, "abc"), "abc");
}

TEST(Edits, StandInOrderOfOffset) {
  Edits edits;
  EXPECT_TRUE(edits.add({4, 2, "XY"}));
  EXPECT_TRUE(edits.add({0, 1, ""}));
  EXPECT_TRUE(edits.add({2, 0, "+"}));
  edits.prepend("H: 2\r\n");
  edits.prepend("H: 1\r\n");
  EXPECT_EQ(applied(edits, "abcdefg"), "H: 1\r\nH: 2\r\nb+cdXYg");
}

TEST(Edits, InsertsAtOneOffsetKeepTheirOrder) {
  Edits edits;
  EXPECT_TRUE(edits.add({1, 0, "1"}));
  EXPECT_TRUE(edits.add({1, 0, "2"}));
  EXPECT_TRUE(edits.add({1, 1, "R"}));
  EXPECT_TRUE(edits.add({1, 0, "3"}));
  EXPECT_EQ(applied(edits, "abc"), "a123Rc");
}

TEST(Edits, OverlapsAreRefused) {
  Edits edits;
  EXPECT_TRUE(edits.add({2, 3, "x"}));
  EXPECT_FALSE(edits.add({4, 1, "y"}));
  EXPECT_FALSE(edits.add({0, 3, "y"}));
  EXPECT_FALSE(edits.add({2, 3, "y"}));
  EXPECT_FALSE(edits.add({3, 0, "y"}));
  EXPECT_FALSE(edits.add({0, static_cast<size_t>(-1), "y"}));
  EXPECT_TRUE(edits.add({5, 1, "z"}));
  EXPECT_TRUE(edits.add({0, 2, "w"}));
  EXPECT_EQ(applied(edits, "abcdefg"), "wxzg");
}

TEST(Edits, BeyondTheEnd) {
  Edits edits;
  EXPECT_TRUE(edits.add({2, 10, "x"}));
  EXPECT_TRUE(edits.add({50, 1, "y"}));
  EXPECT_EQ(applied(edits, "abc"), "abxy");
}

}  // namespace
}  // namespace doorward::mime
