#include "journal/journal.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "fake_disk.h"
#include "journal/record.h"

namespace doorward::journal {
namespace {

using Replayed = std::vector<std::pair<std::string, Place>>;

class JournalTest : public testing::Test {
 protected:
  std::unique_ptr<Journal> open(Disk& disk) {
    replayed_.clear();
    auto opened =
        Journal::open(options_, disk, [this](const Found& found) { replayed_.emplace_back(found.head, found.place); });
    EXPECT_TRUE(opened) << opened.error().text();
    return std::move(*opened);
  }
  Result<Place> append(Journal& journal, std::string head, std::string body = "") {
    std::promise<Result<Place>> told;
    Record record{1, std::move(head), {}};
    if (!body.empty()) record.body.emplace_back(body);
    journal.append(std::move(record), [&told](Result<Place> place) { told.set_value(std::move(place)); });
    return told.get_future().get();
  }
  std::vector<std::string> heads() const {
    std::vector<std::string> all;
    for (const auto& [head, place] : replayed_) all.push_back(head);
    return all;
  }

  Options options_{.directory = "spool", .segment = 4096, .budget = 1 << 20, .reserve = 0, .lazy = {}};
  FakeDisk disk_;
  Replayed replayed_;
};

TEST_F(JournalTest, WhatWasAcknowledgedIsThereAfterAPowerCut) {
  std::mt19937_64 dice(1);
  std::unique_ptr<FakeDisk> cut;
  {
    auto journal = open(disk_);
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(append(*journal, fmt::format("head {}", i), std::string(static_cast<size_t>(i * 7), 'b')));
    }
    cut = disk_.after_power_cut(dice, 0);
  }
  auto journal = open(*cut);
  ASSERT_EQ(replayed_.size(), 100U);
  EXPECT_TRUE(journal->damage().empty());
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(replayed_[i].first, fmt::format("head {}", i));
    EXPECT_EQ(journal->read_body(replayed_[i].second).value(), std::string(i * 7, 'b'));
    EXPECT_EQ(journal->read_head(replayed_[i].second).value(), replayed_[i].first);
  }
}

// What recovery replays replaces older records, which are dropped then: it must not be in the page cache alone.
TEST_F(JournalTest, WhatAKilledWriterDidNotSyncIsMadeDurableBeforeItCounts) {
  std::mt19937_64 dice(1);
  {
    auto journal = open(disk_);
    ASSERT_TRUE(append(*journal, "durable"));
    disk_.syncs_do_nothing = true;
    ASSERT_TRUE(append(*journal, "in the page cache", std::string(1000, 'b')));
  }
  ASSERT_TRUE(disk_.remove("spool/" + index_name(1)));  // who is killed writes none
  disk_.syncs_do_nothing = false;
  auto journal = open(disk_);
  ASSERT_EQ(heads(), (std::vector<std::string>{"durable", "in the page cache"}));
  const auto cut = disk_.after_power_cut(dice, 0);
  journal = open(*cut);
  EXPECT_EQ(heads(), (std::vector<std::string>{"durable", "in the page cache"}));
}

TEST_F(JournalTest, ASegmentWhoseRemovalWasNotMadeDurableIsDroppedAtTheNextTry) {
  auto journal = open(disk_);
  ASSERT_TRUE(append(*journal, "first", std::string(5000, 'b')));
  ASSERT_TRUE(append(*journal, "second"));
  journal->flush();
  const uint64_t before = journal->disk_octets();
  disk_.syncs_fail = true;
  EXPECT_FALSE(journal->drop(1));
  EXPECT_EQ(journal->disk_octets(), before);
  disk_.syncs_fail = false;
  EXPECT_TRUE(journal->drop(1));
  EXPECT_LT(journal->disk_octets(), before - 5000);
}

TEST_F(JournalTest, CutAtEveryOctetItKeepsWhatWasWholeAndNothingElse) {
  options_.segment = 1 << 20;
  std::vector<uint64_t> ends;
  {
    auto journal = open(disk_);
    for (int i = 0; i < 6; ++i) {
      const auto place = append(*journal, fmt::format("h{}", i), std::string(20, 'b'));
      ASSERT_TRUE(place);
      ends.push_back(place->offset + place->octets());
    }
  }
  const std::string path = "spool/" + segment_name(1);
  const std::string whole = disk_.contents(path);
  for (size_t size = 0; size <= whole.size(); ++size) {
    FakeDisk cut;
    auto file = cut.create(path);
    const std::string_view bytes(whole.data(), size);
    ASSERT_TRUE((*file)->write(0, {&bytes, 1}));
    auto journal = open(cut);
    // What fills a record up to the alignment may be missing.
    const auto sound = std::ranges::count_if(ends, [&](uint64_t end) { return end <= size + kAlignment - 1; });
    EXPECT_GE(static_cast<long>(replayed_.size()) + 1, sound) << size;
    EXPECT_LE(static_cast<long>(replayed_.size()), sound) << size;
    ASSERT_TRUE(append(*journal, "goes on")) << size;
  }
}

TEST_F(JournalTest, DamageInTheMiddleLosesThatRecordAlone) {
  options_.segment = 1 << 20;
  Place third;
  {
    auto journal = open(disk_);
    for (int i = 0; i < 6; ++i) {
      const auto place = append(*journal, fmt::format("h{}", i), std::string(3000, 'b'));
      if (i == 2) third = *place;
    }
  }
  ASSERT_TRUE(disk_.remove("spool/" + index_name(1)));
  for (const uint64_t at : {third.offset, third.offset + 9, third.offset + kRecordHeader, third.offset + 2000}) {
    auto& bytes = disk_.contents("spool/" + segment_name(1));
    bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
    auto journal = open(disk_);
    EXPECT_EQ(heads(), (std::vector<std::string>{"h0", "h1", "h3", "h4", "h5"})) << at;
    ASSERT_EQ(journal->damage().size(), 1U) << at;
    EXPECT_EQ(journal->damage()[0].offset, third.offset);
    EXPECT_FALSE(journal->damage()[0].is_torn_end);
    bytes = disk_.contents("spool/" + segment_name(1));
    bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
  }
}

TEST_F(JournalTest, OctetsOfAMailAreNeverTakenForARecord) {
  options_.segment = 1 << 20;
  std::string copy;
  Place place;
  {
    auto journal = open(disk_);
    ASSERT_TRUE(append(*journal, "genuine", "body"));
    copy = disk_.contents("spool/" + segment_name(1)).substr(kSegmentHeader);
    place = *append(*journal, "carrier", std::string(4, 'x') + copy + copy);
  }
  ASSERT_TRUE(disk_.remove("spool/" + index_name(1)));
  // The carrier's own header is gone: what looks like records in its body is looked at, and is none.
  disk_.contents("spool/" + segment_name(1))[place.offset] = 'x';
  auto journal = open(disk_);
  EXPECT_EQ(heads(), std::vector<std::string>{"genuine"});
}

TEST_F(JournalTest, AFailedSyncIsToldAndTheNextGroupGoesToAFileOfItsOwn) {
  std::mt19937_64 dice(2);
  auto journal = open(disk_);
  ASSERT_TRUE(append(*journal, "before"));
  disk_.syncs_fail = true;
  EXPECT_FALSE(append(*journal, "lost"));
  EXPECT_FALSE(journal->has_room(1)) << "for a moment it is careful";
  disk_.syncs_fail = false;
  ASSERT_TRUE(append(*journal, "after"));
  auto cut = disk_.after_power_cut(dice, 0);
  journal.reset();
  journal = open(*cut);
  EXPECT_EQ(heads(), (std::vector<std::string>{"before", "after"}));
}

TEST_F(JournalTest, ADiskThatFailsForLongIsNotLitteredWithFiles) {
  auto journal = open(disk_);
  ASSERT_TRUE(append(*journal, "before"));
  journal->flush();
  const uint64_t before = journal->disk_octets();
  for (int i = 0; i < 20; ++i) {
    disk_.syncs_fail = true;  // the new segment cannot be begun
    EXPECT_FALSE(append(*journal, "lost"));
    disk_.syncs_fail = false;
    disk_.good_syncs = 2;  // it can (its header, the folder), and what goes into it fails
    EXPECT_FALSE(append(*journal, "lost"));
    disk_.good_syncs = -1;
  }
  EXPECT_EQ(disk_.names().size(), 2U) << "the first segment and its index";
  journal->flush();
  EXPECT_EQ(journal->disk_octets(), before);
  ASSERT_TRUE(append(*journal, "after"));
  journal.reset();
  journal = open(disk_);
  EXPECT_EQ(heads(), (std::vector<std::string>{"before", "after"}));
}

TEST_F(JournalTest, AMailFullOfForgedHeadersDoesNotHoldUpAStart) {
  options_.segment = 4 << 20;
  auto journal = open(disk_);
  std::string forged;
  const auto header = encode({1, 1 << 20, 0, 0}, 7, 0, "");
  while (forged.size() < size_t{2} << 20) forged.append(header.data(), header.size());
  ASSERT_TRUE(append(*journal, "hostile", forged));
  ASSERT_TRUE(append(*journal, "after", std::string(1 << 20, 'x')));
  journal.reset();
  for (const auto& name : disk_.names())
    if (name.ends_with(".index")) ASSERT_TRUE(disk_.remove(name));
  disk_.contents(disk_.names().front()).at(kSegmentHeader + kRecordHeader + 10) ^=
      1;  // so that its body is looked through
  disk_.octets_read = 0;
  journal = open(disk_);
  EXPECT_EQ(heads(), std::vector<std::string>{"after"});
  EXPECT_LT(disk_.octets_read, uint64_t{100} << 20) << "and not a mebioctet for each of 43,000 headers";
}

TEST_F(JournalTest, FlushWaitsForWhatWasAppendedBeforeAndNotForWhatComesOn) {
  auto journal = open(disk_);
  std::atomic<bool> stop = false, told = false;
  std::thread others([&] {
    while (!stop) journal->append({1, "more"}, {});
  });
  journal->append_lazily({1, "mine"}, [&](const Result<Place>&) { told = true; });
  journal->flush();
  EXPECT_TRUE(told);
  stop = true;
  others.join();
}

TEST_F(JournalTest, AFullDiskIsToldAndWhatWasThereStays) {
  auto journal = open(disk_);
  ASSERT_TRUE(append(*journal, "first"));
  disk_.capacity = 2000;
  EXPECT_FALSE(append(*journal, "large", std::string(5000, 'x')));
  disk_.capacity = UINT64_MAX;
  ASSERT_TRUE(append(*journal, "second"));
  journal.reset();
  journal = open(disk_);
  EXPECT_EQ(heads(), (std::vector<std::string>{"first", "second"}));
}

TEST_F(JournalTest, HasRoomUntilTheBudgetIsNear) {
  options_.budget = 32 << 10;
  auto journal = open(disk_);
  int taken = 0;
  while (journal->has_room(1000) && taken < 100) {
    ASSERT_TRUE(append(*journal, "h", std::string(1000, 'b')));
    ++taken;
  }
  EXPECT_GT(taken, 15);
  EXPECT_LT(journal->disk_octets(), options_.budget);
  disk_.capacity = 0;
  options_.reserve = 1;
  options_.budget = 1 << 30;
  FakeDisk full;
  full.capacity = 500;
  options_.reserve = 1000;
  auto other = open(full);
  EXPECT_FALSE(other->has_room(0)) << "the reserve";
}

TEST_F(JournalTest, TheOldestSegmentIsCleanedWhenItPays) {
  auto journal = open(disk_);
  std::vector<Place> places;
  for (int i = 0; i < 40; ++i) places.push_back(append(*journal, fmt::format("h{}", i), std::string(400, 'b')).value());
  ASSERT_GT(places.back().segment, 3U);
  EXPECT_FALSE(journal->to_clean()) << "all live";
  const uint64_t oldest = places.front().segment;
  Place alive{};
  for (const Place& place : places) {
    if (place.segment != oldest) continue;
    if (alive.segment == 0) {
      alive = place;
    } else {
      journal->retire(place);
    }
  }
  ASSERT_EQ(journal->to_clean(), oldest);
  const auto before = journal->disk_octets();
  const auto body = journal->read_body(alive).value();
  ASSERT_TRUE(append(*journal, "h0", body));
  journal->retire(alive);
  ASSERT_TRUE(journal->drop(oldest));
  EXPECT_LT(journal->disk_octets(), before);
  journal.reset();
  journal = open(disk_);
  EXPECT_EQ(heads().back(), "h0");
  EXPECT_EQ(std::ranges::count(heads(), "h0"), 1);
}

TEST_F(JournalTest, GroupsShareOneSync) {
  auto journal = open(disk_);
  constexpr int kThreads = 8, kEach = 50;
  std::atomic<int> done{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          journal->append({1, fmt::format("{} {}", t, i), {}}, [&](Result<Place> place) { done += place ? 1 : 0; });
        }
      });
    }
  }
  journal->flush();
  EXPECT_EQ(done, kThreads * kEach);
  EXPECT_LT(disk_.syncs, static_cast<size_t>(kThreads * kEach));
  journal.reset();
  journal = open(disk_);
  EXPECT_EQ(replayed_.size(), static_cast<size_t>(kThreads * kEach));
}

TEST_F(JournalTest, LazyRecordsAreDurableSoonAndAtTheEnd) {
  options_.lazy = std::chrono::milliseconds(5);
  auto journal = open(disk_);
  journal->append_lazily({2, "lazy", {}});
  journal->flush();
  std::mt19937_64 dice(3);
  auto cut = disk_.after_power_cut(dice, 0);
  journal->append_lazily({2, "last", {}});
  journal.reset();
  journal = open(*cut);
  EXPECT_EQ(heads(), std::vector<std::string>{"lazy"});
  journal = open(disk_);
  EXPECT_EQ(heads(), (std::vector<std::string>{"lazy", "last"}));
}

TEST_F(JournalTest, ABrokenIndexIsNoHarm) {
  {
    auto journal = open(disk_);
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(append(*journal, fmt::format("h{}", i), std::string(400, 'b')));
  }
  for (const auto& name : disk_.names()) {
    if (!name.ends_with(".index")) continue;
    auto& bytes = disk_.contents(name);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  }
  auto journal = open(disk_);
  EXPECT_EQ(replayed_.size(), 40U);
}

}  // namespace
}  // namespace doorward::journal
