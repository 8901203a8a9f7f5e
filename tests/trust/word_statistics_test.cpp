#include "trust/word_statistics.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "trust/made_mail.h"

namespace doorward::trust {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<WordStatistics> opened(WordStatistics::Options options) {
  auto statistics = WordStatistics::open(std::move(options));
  if (!statistics) throw std::runtime_error(statistics.error().text());
  return std::move(*statistics);
}

// Mails that were not among those learnt.
double judged(const WordStatistics& statistics, Label label, uint64_t customer = 0, unsigned number = 90'000) {
  return statistics.judge(made_features(label, number), customer).spam;
}

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "doorward-words-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  std::string path() const { return path_; }
  fs::path only_log() const {
    for (const auto& entry : fs::directory_iterator(path_)) {
      if (entry.path().extension() == ".log") return entry.path();
    }
    return {};
  }

 private:
  std::string path_;
};

constexpr size_t kSmall = 1 << 18;

TEST(WordStatistics, KnowsNothingAtFirst) {
  const auto statistics = opened({.table_entries = kSmall});
  const auto opinion = statistics->judge(made_features(Label::spam, 1), 0);
  EXPECT_DOUBLE_EQ(opinion.spam, 0.5);
  EXPECT_FALSE(opinion.known);
}

TEST(WordStatistics, SeparatesWhatItLearnt) {
  const auto statistics = opened({.table_entries = kSmall});
  teach(*statistics, 60);
  unsigned wrong = 0;
  for (unsigned number = 1000; number < 1100; ++number) {
    wrong += judged(*statistics, Label::spam, 0, number) < 0.8 ? 1 : 0;
    wrong += judged(*statistics, Label::ham, 0, number) > 0.2 ? 1 : 0;
  }
  EXPECT_EQ(wrong, 0u);
  const auto opinion = statistics->judge(made_features(Label::spam, 1), 0);
  EXPECT_TRUE(opinion.known);
  EXPECT_EQ(opinion.ham_learnt, 60u);
  EXPECT_EQ(opinion.spam_learnt, 60u);
}

TEST(WordStatistics, AYoungOpinionIsAWeakOne) {
  const auto statistics = opened({.table_entries = kSmall});
  const auto mail = made_features(Label::spam, 1);
  for (int time = 0; time < 30; ++time) statistics->learn(mail, 0, Label::spam);
  EXPECT_DOUBLE_EQ(statistics->judge(mail, 0).log_odds, 0);  // what good mail is like, nobody said yet
  statistics->learn(made_features(Label::ham, 1), 0, Label::ham);
  const double young = statistics->judge(mail, 0).log_odds;
  EXPECT_GT(young, 0);
  for (unsigned number = 2; number < 30; ++number) statistics->learn(made_features(Label::ham, number), 0, Label::ham);
  EXPECT_GT(statistics->judge(mail, 0).log_odds, 2 * young);
}

TEST(WordStatistics, UnlearnsWhatTurnedOutWrong) {
  const auto statistics = opened({.table_entries = kSmall});
  teach(*statistics, 60);
  const auto mistaken = made_features(Label::spam, 5000);
  for (int time = 0; time < 30; ++time) statistics->learn(mistaken, 0, Label::ham);
  EXPECT_LT(statistics->judge(mistaken, 0).spam, 0.5);
  EXPECT_GT(judged(*statistics, Label::spam), 0.5);  // the others are still known
}

TEST(WordStatistics, NamesTheWordsThatSpokeMost) {
  const auto statistics = opened({.table_entries = kSmall});
  teach(*statistics, 60);
  const std::string raw = "From: x@example.org\r\nSubject: hello\r\n\r\nThe casino has a project\r\n";
  const auto message = mime::Message::parse(raw);
  const auto spam = statistics->strongest(message, Label::spam, 3);
  ASSERT_FALSE(spam.empty());
  EXPECT_LE(spam.size(), 3u);
  EXPECT_EQ(spam[0].text, "casino");
  EXPECT_GT(spam[0].spam, 0u);
  EXPECT_EQ(spam[0].ham, 0u);
  const auto ham = statistics->strongest(message, Label::ham, 3);
  ASSERT_FALSE(ham.empty());
  EXPECT_EQ(ham[0].text, "project");
}

TEST(WordStatistics, CustomersDoNotSeeEachOther) {
  const auto statistics = opened({.table_entries = kSmall});
  teach(*statistics, 60);
  // Customer 1 is a casino: what is spam to all is good to it.
  for (unsigned number = 0; number < 200; ++number) {
    statistics->learn(made_features(Label::spam, 20'000 + number), 1, Label::ham);
    statistics->learn(made_features(Label::ham, 20'000 + number), 1, Label::spam);
    // The base hears the opposite as often, from elsewhere.
    for (int time = 0; time < 2; ++time) {
      statistics->learn(made_features(Label::spam, 30'000 + number), 0, Label::spam);
      statistics->learn(made_features(Label::ham, 30'000 + number), 0, Label::ham);
    }
  }
  const auto mail = made_features(Label::spam, 90'000);
  const auto base = statistics->judge(mail, 0), own = statistics->judge(mail, 1), other = statistics->judge(mail, 2);
  EXPECT_LT(own.log_odds, base.log_odds - 0.5);
  EXPECT_DOUBLE_EQ(other.log_odds, base.log_odds);
  EXPECT_TRUE(own.known);
  EXPECT_FALSE(other.known);
  EXPECT_EQ(own.ham_learnt, 200u);
  EXPECT_EQ(other.ham_learnt, 0u);
}

TEST(WordStatistics, ACustomersMailsTeachTheBaseToo) {
  const auto statistics = opened({.table_entries = kSmall});
  teach(*statistics, 60, 5);
  EXPECT_GT(judged(*statistics, Label::spam), 0.8);
  EXPECT_EQ(statistics->judge(made_features(Label::ham, 1), 0).ham_learnt, 60u);
}

TEST(WordStatistics, AFullTableStaysBoundedAndKeepsWhatIsSeenOften) {
  const auto statistics = opened({.table_entries = 8192});
  teach(*statistics, 400);
  const auto fill = statistics->fill();
  EXPECT_EQ(fill.entries, 8192u);
  EXPECT_LE(fill.used, 8192u);
  EXPECT_GT(fill.evicted, 100u);
  unsigned wrong = 0;
  for (unsigned number = 5000; number < 5050; ++number) {
    wrong += judged(*statistics, Label::spam, 0, number) < 0.5 ? 1 : 0;
    wrong += judged(*statistics, Label::ham, 0, number) > 0.5 ? 1 : 0;
  }
  EXPECT_LE(wrong, 5u);
}

TEST(WordStatistics, RefusesATableThatIsNoPowerOfTwo) {
  EXPECT_FALSE(WordStatistics::open({.table_entries = 1000}));
  EXPECT_FALSE(WordStatistics::open({.table_entries = 4}));
}

TEST(WordStatisticsStored, IsTheSameAfterReopening) {
  const Folder folder;
  const auto mail = made_features(Label::spam, 90'000);
  double before = 0, own = 0;
  {
    const auto statistics = opened({.table_entries = kSmall, .directory = folder.path()});
    teach(*statistics, 30, 3);
    ASSERT_TRUE(statistics->flush());
    teach(*statistics, 20, 0, 500);
    ASSERT_TRUE(statistics->flush());
    before = statistics->judge(mail, 0).log_odds;
    own = statistics->judge(mail, 3).log_odds;
  }
  const auto again = opened({.table_entries = 4096, .directory = folder.path()});  // the stored size wins
  EXPECT_DOUBLE_EQ(again->judge(mail, 0).log_odds, before);
  EXPECT_DOUBLE_EQ(again->judge(mail, 3).log_odds, own);
  EXPECT_EQ(again->judge(mail, 0).ham_learnt, 50u);
  EXPECT_EQ(again->judge(mail, 3).ham_learnt, 30u);
  EXPECT_EQ(again->fill().entries, kSmall);
}

TEST(WordStatisticsStored, ATornTailLosesOnlyWhatWasNotFlushed) {
  for (const int cut : {1, 7, 40}) {
    const Folder folder;
    const auto mail = made_features(Label::spam, 90'000);
    double flushed = 0;
    uintmax_t whole = 0;
    {
      const auto statistics = opened({.table_entries = kSmall, .directory = folder.path()});
      teach(*statistics, 30);
      ASSERT_TRUE(statistics->flush());
      flushed = statistics->judge(mail, 0).log_odds;
      whole = fs::file_size(folder.only_log());
      teach(*statistics, 1, 0, 800);
      ASSERT_TRUE(statistics->flush());
    }
    const auto log = folder.only_log();
    ASSERT_GT(fs::file_size(log), whole);
    fs::resize_file(log, fs::file_size(log) - static_cast<uintmax_t>(cut));
    {
      const auto statistics = opened({.table_entries = kSmall, .directory = folder.path()});
      EXPECT_DOUBLE_EQ(statistics->judge(mail, 0).log_odds, flushed);
      EXPECT_EQ(fs::file_size(log), whole);
      teach(*statistics, 1, 0, 900);  // and it goes on behind the cut
      ASSERT_TRUE(statistics->flush());
      flushed = statistics->judge(mail, 0).log_odds;
    }
    EXPECT_DOUBLE_EQ(opened({.directory = folder.path(), .read_only = true})->judge(mail, 0).log_odds, flushed);
  }
}

TEST(WordStatisticsStored, ADamagedSnapshotIsToldNotUsed) {
  const Folder folder;
  {
    opened({.table_entries = kSmall, .directory = folder.path()});
  }
  const fs::path snapshot = fs::path(folder.path()) / "words.snapshot";
  {
    std::fstream file(snapshot, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(17);
    file.put('\x55');
  }
  const auto reopened = WordStatistics::open({.directory = folder.path()});
  ASSERT_FALSE(reopened);
  EXPECT_NE(reopened.error().text().find("words.snapshot"), std::string::npos);
}

TEST(WordStatisticsStored, WhatAnotherVersionLearntIsSetAside) {
  const Folder folder;
  {
    const auto statistics = opened({.table_entries = kSmall, .directory = folder.path()});
    teach(*statistics, 30);
  }
  const fs::path snapshot = fs::path(folder.path()) / "words.snapshot";
  {
    char header[56];
    std::fstream file(snapshot, std::ios::in | std::ios::out | std::ios::binary);
    file.read(header, sizeof header);
    header[12] = 1;  // the features' version
    const uint64_t checksum = XXH3_64bits(header, 48);
    std::memcpy(header + 48, &checksum, sizeof checksum);
    file.seekp(0);
    file.write(header, sizeof header);
  }
  EXPECT_EQ(opened({.directory = folder.path(), .read_only = true})->judge({}, 0).ham_learnt, 0u);
  EXPECT_TRUE(fs::exists(snapshot));
  {
    const auto anew = opened({.table_entries = kSmall, .directory = folder.path()});
    EXPECT_EQ(anew->judge({}, 0).ham_learnt, 0u);
    EXPECT_EQ(anew->fill().used, 0u);
    EXPECT_TRUE(fs::exists(snapshot.string() + ".version-1"));
    teach(*anew, 20);
  }
  EXPECT_EQ(opened({.directory = folder.path()})->judge({}, 0).ham_learnt, 20u);
}

// As a crash leaves it between setting a table aside and writing the new one.
TEST(WordStatisticsStored, ALogOfATableThatIsGoneIsNotContinued) {
  const Folder folder;
  std::ofstream(fs::path(folder.path()) / "words.1.log") << "records of another version";
  teach(*opened({.table_entries = kSmall, .directory = folder.path()}), 20);
  teach(*opened({.table_entries = kSmall, .directory = folder.path()}), 20);
  EXPECT_EQ(opened({.directory = folder.path()})->judge({}, 0).ham_learnt, 40u);
}

TEST(WordStatisticsStored, OneProcessLearnsOthersMayRead) {
  const Folder folder;
  const auto learning = opened({.table_entries = kSmall, .directory = folder.path()});
  teach(*learning, 30);
  ASSERT_TRUE(learning->flush());
  EXPECT_FALSE(WordStatistics::open({.table_entries = kSmall, .directory = folder.path()}));
  const auto reading = opened({.directory = folder.path(), .read_only = true});
  EXPECT_DOUBLE_EQ(judged(*reading, Label::spam), judged(*learning, Label::spam));
}

// The process is killed while it learns and flushes: what it reported as flushed is there.
TEST(WordStatisticsStored, SurvivesBeingKilled) {
  for (const int milliseconds : {20, 60, 150}) {
    const Folder folder;
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      const auto statistics = opened({.table_entries = kSmall, .directory = folder.path()});
      for (uint32_t round = 1;; ++round) {
        teach(*statistics, 1, 0, round);
        if (!statistics->flush() || ::write(ends[1], &round, sizeof round) != sizeof round) ::_exit(1);
      }
    }
    ::close(ends[1]);
    uint32_t round = 0, told = 0;
    ASSERT_EQ(::read(ends[0], &round, sizeof round), static_cast<ssize_t>(sizeof round));
    told = round;
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(ends[0], &round, sizeof round) == static_cast<ssize_t>(sizeof round)) told = round;
    ::close(ends[0]);
    const auto statistics = opened({.table_entries = kSmall, .directory = folder.path()});
    const auto learnt = statistics->judge(made_features(Label::ham, 1), 0).ham_learnt;
    EXPECT_GE(learnt, told);
    EXPECT_LE(learnt, told + 1);
  }
}

TEST(WordStatistics, IsReadWhileItLearns) {
  const auto statistics = opened({.table_entries = 8192});  // small: entries are evicted under the readers
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> judgements = 0;
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&, reader] {
      const auto features = made_features(reader == 0 ? Label::ham : Label::spam, 7);
      while (!stop) {
        const auto opinion = statistics->judge(features, static_cast<uint64_t>(reader));
        EXPECT_GE(opinion.spam, 0.0);
        EXPECT_LE(opinion.spam, 1.0);
        ++judgements;
      }
    });
  }
  for (unsigned number = 0; number < 100 || judgements < 100; ++number) teach(*statistics, 1, number % 3, number);
  stop = true;
  for (auto& reader : readers) reader.join();
}

}  // namespace
}  // namespace doorward::trust
