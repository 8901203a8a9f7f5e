#include "trust/sightings.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "trust/sightings_row.h"
#include "trust/varied_mail.h"

namespace doorward::trust {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr SystemTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 9h + 12min;
constexpr size_t kText = static_cast<size_t>(Likeness::text);

Sender sender(unsigned number) { return Sender::of_domain("d" + std::to_string(number) + ".example"); }

class SightingsTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::temp_directory_path() / ("doorward-sightings-" + std::to_string(::getpid()));
    fs::remove_all(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }
  std::unique_ptr<Sightings> open(bool read_only = false, std::chrono::minutes window = 96h) {
    auto opened =
        Sightings::open({.entries = 1 << 14, .directory = directory_, .read_only = read_only, .window = window});
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().text());
    return opened ? std::move(*opened) : nullptr;
  }
  double others(const Sightings& sightings, const Fingerprint& print, unsigned from, SystemTime now = kNow) {
    return sightings.look_up(print, sender(from), now)[kText].others;
  }
  fs::path directory_;
  std::unique_ptr<Sightings> memory_ = std::move(*Sightings::open({.entries = 1 << 14}));
  Fingerprint print_ = fingerprint_of_text(text_of(1));
};

TEST_F(SightingsTest, counts_other_domains_and_never_the_same) {
  for (int time = 0; time < 1000; ++time) memory_->count(print_, sender(1), kNow);
  EXPECT_EQ(others(*memory_, print_, 1), 0);
  EXPECT_NEAR(others(*memory_, print_, 2), 1, 0.1);
  for (unsigned from = 2; from <= 20; ++from) memory_->count(print_, sender(from), kNow);
  EXPECT_NEAR(others(*memory_, print_, 1), 19, 4);
  EXPECT_EQ(others(*memory_, fingerprint_of_text(text_of(2)), 1), 0);
}

TEST_F(SightingsTest, many_domains_are_estimated) {
  for (unsigned from = 0; from < 100; ++from) memory_->count(print_, sender(from), kNow);
  EXPECT_NEAR(others(*memory_, print_, 1000), 100, 25);
  for (unsigned from = 0; from < 5000; ++from) memory_->count(print_, sender(from), kNow);
  EXPECT_GT(others(*memory_, print_, 1000), 250);
}

TEST_F(SightingsTest, a_domain_is_the_same_however_it_is_written) {
  memory_->count(print_, Sender::of_domain("Example.ORG."), kNow);
  EXPECT_EQ(memory_->look_up(print_, Sender::of_domain("example.org"), kNow)[kText].others, 0);
  memory_->count(print_, Sender::of_domain(""), kNow);
  EXPECT_NEAR(others(*memory_, print_, 1), 1, 0.1) << "unknown senders do not count";
}

TEST_F(SightingsTest, near_duplicates_count_for_each_other) {
  for (unsigned from = 0; from < 30; ++from) {
    memory_->count(
        fingerprint_of_text("Dear person " + std::to_string(from) + ",\r\n" + text_of(1) + text_of(500 + from, 12)),
        sender(from), kNow);
  }
  EXPECT_GT(others(*memory_, print_, 1000), 10);
}

TEST_F(SightingsTest, one_shared_band_is_chance) {
  Fingerprint other = fingerprint_of_text(text_of(3));
  other.text_bands[4] = print_.text_bands[4];
  for (unsigned from = 0; from < 30; ++from) memory_->count(other, sender(from), kNow);
  EXPECT_EQ(others(*memory_, print_, 1000), 0);
}

TEST_F(SightingsTest, since_is_the_first_sighting) {
  memory_->count(print_, sender(1), kNow);
  memory_->count(print_, sender(2), kNow + 3h);
  EXPECT_EQ(memory_->look_up(print_, sender(9), kNow + 5h)[kText].since, kNow);
}

TEST_F(SightingsTest, forgets_with_time) {
  for (unsigned from = 0; from < 10; ++from) memory_->count(print_, sender(from), kNow);
  EXPECT_GT(others(*memory_, print_, 99, kNow + 47h), 7) << "at least half of the window";
  EXPECT_EQ(others(*memory_, print_, 99, kNow + 97h), 0);
  // What goes on forgets its past, and says since when it counts.
  for (unsigned day = 1; day < 30; ++day) memory_->count(print_, sender(100 + day % 2), kNow + day * 24h);
  const auto seen = memory_->look_up(print_, sender(99), kNow + 29 * 24h)[kText];
  EXPECT_NEAR(seen.others, 2, 0.3);
  EXPECT_GE(seen.since, kNow + 25 * 24h);
}

TEST_F(SightingsTest, a_clock_that_goes_back_forgets_nothing) {
  for (unsigned from = 0; from < 10; ++from) memory_->count(print_, sender(from), kNow);
  EXPECT_GT(others(*memory_, print_, 99, kNow - 24h * 10), 7);
}

TEST_F(SightingsTest, own_mail_counts_for_nobody) {
  memory_->count_own(print_, kNow);
  for (unsigned from = 0; from < 30; ++from) memory_->count(print_, sender(from), kNow + 1h);
  const auto seen = memory_->look_up(print_, sender(99), kNow + 20 * 24h)[kText];
  EXPECT_TRUE(seen.own);
  EXPECT_EQ(seen.others, 0);
  // A template that is sent no more is nobody's at last.
  for (unsigned from = 0; from < 30; ++from) memory_->count(print_, sender(from), kNow + 120 * 24h);
  EXPECT_FALSE(memory_->look_up(print_, sender(99), kNow + 120 * 24h)[kText].own);
  EXPECT_GT(others(*memory_, print_, 99, kNow + 120 * 24h), 20);
}

TEST_F(SightingsTest, forwarding_spam_does_not_clear_it) {
  for (unsigned from = 0; from < 10; ++from) memory_->count(print_, sender(from), kNow);
  memory_->count_own(print_, kNow);
  EXPECT_GT(others(*memory_, print_, 99), 7);
  EXPECT_FALSE(memory_->look_up(print_, sender(99), kNow)[kText].own);
}

TEST_F(SightingsTest, is_kept) {
  {
    const auto sightings = open();
    for (unsigned from = 0; from < 10; ++from) sightings->count(print_, sender(from), kNow);
    EXPECT_FALSE(Sightings::open({.directory = directory_})) << "one process counts";
    ASSERT_TRUE(sightings->flush());
    EXPECT_NEAR(others(*open(true), print_, 99), 10, 2);
  }
  EXPECT_NEAR(others(*open(), print_, 99), 10, 2);
}

TEST_F(SightingsTest, a_killed_process_loses_what_was_not_flushed_only) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto sightings = Sightings::open({.entries = 1 << 14, .directory = directory_});
    if (!sightings) ::_exit(1);
    for (unsigned from = 0; from < 10; ++from) {
      (*sightings)->count(print_, sender(from), kNow);
      if (!(*sightings)->flush()) ::_exit(1);
    }
    (*sightings)->count(fingerprint_of_text(text_of(2)), sender(1), kNow);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto sightings = open();
  EXPECT_NEAR(others(*sightings, print_, 99), 10, 2);
  EXPECT_EQ(others(*sightings, fingerprint_of_text(text_of(2)), 99), 0);
}

TEST_F(SightingsTest, a_torn_record_is_cut_off) {
  open()->count(print_, sender(1), kNow);
  const fs::path log = directory_ / "sightings.1.log";
  ASSERT_TRUE(fs::exists(log));
  const auto whole = fs::file_size(log);
  std::ofstream(log, std::ios::app | std::ios::binary) << "DWKRnot a whole record";
  EXPECT_NEAR(others(*open(), print_, 99), 1, 0.1);
  EXPECT_EQ(fs::file_size(log), whole);
  fs::resize_file(log, whole - 1);
  EXPECT_EQ(others(*open(), print_, 99), 0);
}

TEST_F(SightingsTest, a_damaged_snapshot_is_named_and_another_window_begins_anew) {
  open()->count(print_, sender(1), kNow);
  EXPECT_EQ(others(*open(false, 48h), print_, 99), 0);
  EXPECT_TRUE(fs::exists(directory_ / "sightings.snapshot.old"));
  std::ofstream(directory_ / "sightings.snapshot", std::ios::in | std::ios::binary) << "garbage";
  const auto opened = Sightings::open({.directory = directory_});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().text().find("sightings.snapshot"), std::string::npos);
}

TEST_F(SightingsTest, a_full_table_keeps_what_many_sent) {
  const auto small = std::move(*Sightings::open({.entries = 512}));
  for (unsigned from = 0; from < 10; ++from) small->count(print_, sender(from), kNow);
  for (unsigned number = 100; number < 1100; ++number) {
    small->count(fingerprint_of_text(text_of(number)), sender(number), kNow);
  }
  EXPECT_GT(others(*small, print_, 99), 7);
  EXPECT_GT(small->fill().evicted, 1000u);
  EXPECT_LE(small->fill().used, small->fill().entries);
}

TEST(SightingsRow, packs) {
  const Row row{.tag = ((uint64_t{1} << 26) - 1) << 38,
                .own = true,
                .generation = 4095,
                .first = (1u << 24) - 1,
                .recent = {5},
                .before = {6}};
  const Row read = Row::of(row.cells());
  EXPECT_EQ(read.tag, row.tag);
  EXPECT_TRUE(read.own);
  EXPECT_EQ(read.generation, row.generation);
  EXPECT_EQ(read.first, row.first);
  EXPECT_EQ(read.recent.bits, 5u);
  EXPECT_EQ(read.before.bits, 6u);
}

}  // namespace
}  // namespace doorward::trust
