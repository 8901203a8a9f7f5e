#include "trust/kept_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace doorward::trust {
namespace {

uint64_t all_alike(const Cells&, uint32_t) { return 2; }
uint64_t by_second(const Cells& cells, uint32_t) { return cells.second; }

TEST(KeptTable, an_entry_is_24_octets) { static_assert(KeptTable::kCells * 8 == KeptTable::kBucket * 24); }

TEST(KeptTable, finds_what_was_put) {
  KeptTable table(16);
  EXPECT_TRUE(table.find(77).empty());
  table.put(table.place(77, all_alike, 0), {KeptTable::tag_of(77), 1, 2});
  EXPECT_EQ(table.find(77), (Cells{KeptTable::tag_of(77), 1, 2}));
  EXPECT_TRUE(table.find(78).empty());
  // A hash whose low bits are all 0 is no empty entry.
  table.put(table.place(0, all_alike, 0), {KeptTable::tag_of(0), 3, 4});
  EXPECT_EQ(table.find(0).second, 3u);
}

TEST(KeptTable, the_least_worth_gives_way) {
  KeptTable table(1);
  for (uint64_t hash = 1; hash <= 8; ++hash) {
    table.put(table.place(hash, by_second, 0), {KeptTable::tag_of(hash), hash == 5 ? 3 : 10 + hash, 0});
  }
  EXPECT_EQ(table.evicted(), 0u);
  table.put(table.place(9, by_second, 0), {KeptTable::tag_of(9), 50, 0});
  EXPECT_EQ(table.evicted(), 1u);
  EXPECT_TRUE(table.find(5).empty());
  for (const uint64_t hash : {1u, 2u, 3u, 4u, 6u, 7u, 8u, 9u}) EXPECT_FALSE(table.find(hash).empty()) << hash;
}

// A reader must never see the cells of one hash under another.
TEST(KeptTable, readers_see_whole_entries) {
  KeptTable table(1);
  std::atomic<bool> done = false;
  std::atomic<uint64_t> wrong = 0, found = 0;
  const auto hash = [](uint64_t number) { return number + 1; };
  std::thread reader([&] {
    while (!done.load()) {
      for (uint64_t number = 0; number < 32; ++number) {
        const Cells cells = table.find(hash(number));
        if (cells.empty()) continue;
        found.fetch_add(1);
        if (cells.second != number + 1 || cells.third != ~(number + 1)) wrong.fetch_add(1);
      }
    }
  });
  for (uint64_t round = 0; round < 20000 || (found.load() == 0 && round < 20000000); ++round) {
    const uint64_t number = round % 32;
    const size_t place = table.place(hash(number), all_alike, 0);
    table.put(place, {KeptTable::tag_of(hash(number)), number + 1, ~(number + 1)});
  }
  done = true;
  reader.join();
  EXPECT_EQ(wrong.load(), 0u);
  EXPECT_GT(found.load(), 0u);
}

}  // namespace
}  // namespace doorward::trust
