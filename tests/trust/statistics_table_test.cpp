#include "trust/statistics_table.h"

#include <gtest/gtest.h>

namespace doorward::trust {
namespace {

TEST(StatisticsTable, AnEntryIsPackedWhole) {
  for (const int32_t weight : {0, 1, -1, 12345, -12345, Entry::kMostWeight, -Entry::kMostWeight}) {
    const Entry entry{.tag = 0xBEEF, .weight = weight, .ham = Entry::kMostCount, .spam = 77};
    const Entry back = Entry::unpack(entry.pack());
    EXPECT_EQ(back.tag, entry.tag);
    EXPECT_EQ(back.weight, weight);
    EXPECT_EQ(back.ham, entry.ham);
    EXPECT_EQ(back.spam, entry.spam);
  }
}

TEST(StatisticsTable, FindsWhatWasPlacedAndNothingElse) {
  StatisticsTable table(1024);
  constexpr uint64_t kHash = 0x1234'5678'9ABC'DEF0;
  EXPECT_EQ(table.find(kHash).tag, 0);
  const size_t place = table.place(kHash);
  table.put(place, Entry{.tag = StatisticsTable::tag_of(kHash), .weight = 5, .ham = 1, .spam = 2}.pack());
  EXPECT_EQ(table.place(kHash), place);
  EXPECT_EQ(table.find(kHash).spam, 2u);
  EXPECT_EQ(table.find(kHash + (uint64_t{1} << 50)).tag, 0);  // same bucket, another tag
}

TEST(StatisticsTable, AFullBucketGivesUpWhatWasTrainedLeast) {
  StatisticsTable table(StatisticsTable::kBucket);  // one bucket
  const auto hash = [](uint64_t number) { return number << 48; };
  for (uint64_t number = 1; number <= 8; ++number) {
    const size_t place = table.place(hash(number));
    table.put(place,
              Entry{.tag = StatisticsTable::tag_of(hash(number)), .ham = static_cast<uint32_t>(number * 10)}.pack());
  }
  EXPECT_EQ(table.evicted(), 0u);
  const size_t place = table.place(hash(9));
  table.put(place, Entry{.tag = StatisticsTable::tag_of(hash(9)), .ham = 1}.pack());
  EXPECT_EQ(table.evicted(), 1u);
  EXPECT_EQ(table.find(hash(1)).tag, 0);    // the least trained one is gone
  EXPECT_EQ(table.find(hash(8)).ham, 40u);  // the others aged
  EXPECT_EQ(table.find(hash(9)).ham, 1u);
  EXPECT_EQ(table.aged().size(), 7u);
}

TEST(LearntTotals, KeepsOwnersApart) {
  LearntTotals totals;
  EXPECT_EQ(totals.of(7).ham_learnt, 0u);
  EXPECT_TRUE(totals.put({.owner = 7, .ham_learnt = 3}));
  EXPECT_TRUE(totals.put({.owner = 0, .ham_learnt = 9}));
  EXPECT_EQ(totals.of(7).ham_learnt, 3u);
  EXPECT_EQ(totals.of(0).ham_learnt, 9u);
  EXPECT_EQ(totals.of(8).ham_learnt, 0u);
  EXPECT_EQ(totals.all().size(), 2u);
}

TEST(LearntTotals, IsBounded) {
  LearntTotals totals;
  size_t kept = 0;
  for (uint64_t owner = 1; owner < 3 * LearntTotals::kMostOwners; ++owner) kept += totals.put({.owner = owner}) ? 1 : 0;
  EXPECT_GT(kept, LearntTotals::kMostOwners / 2);
  EXPECT_LE(kept, LearntTotals::kMostOwners);
}

}  // namespace
}  // namespace doorward::trust
