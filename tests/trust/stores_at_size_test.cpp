// Each store at the size that a provider has: filled beyond it, killed, and opened again. Small by default;
// DOORWARD_ENTRIES=10000000 is the real thing.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "trust/correspondence.h"
#include "trust/greylist.h"
#include "trust/sightings.h"
#include "trust/word_statistics.h"

namespace doorward::trust {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr SystemTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 9h;

class StoresAtSize : public testing::Test {
 protected:
  void SetUp() override { fs::remove_all(directory_); }
  void TearDown() override { fs::remove_all(directory_); }

  // `work` in a process of its own, which has to end by die(): what it opened is not closed.
  void killed(const std::function<void()>& work) {
    const auto begun = std::chrono::steady_clock::now();
    const pid_t child = ::fork();
    if (child == 0) {
      work();
      ::_exit(1);
    }
    int status = 0;
    rusage used{};
    ASSERT_EQ(::wait4(child, &status, 0, &used), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "it failed before its end";
    RecordProperty("seconds",
                   std::to_string(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count()));
    RecordProperty("mebibytes", std::to_string(used.ru_maxrss / 1024));
    if (std::getenv("DOORWARD_ENTRIES") != nullptr) {
      fmt::print("{} entries: {:.1f} s, {} MiB at most\n", entries_,
                 std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count(),
                 used.ru_maxrss / 1024);
    }
  }

  static void die() { ::kill(::getpid(), SIGKILL); }

  const size_t entries_ = [] {
    const char* const wanted = std::getenv("DOORWARD_ENTRIES");
    return wanted != nullptr ? std::stoul(wanted) : size_t{1} << 13;
  }();
  const std::string directory_ = fs::temp_directory_path() / ("doorward-stores-" + std::to_string(::getpid()));
};

Fingerprint print_of(uint64_t number) {
  Fingerprint print{};
  print.has_text = true;
  for (auto& band : print.text_bands) band = number = number * 6364136223846793005u + 1442695040888963407u;
  return print;
}

TEST_F(StoresAtSize, Sightings) {
  const Sightings::Options options{.entries = entries_, .directory = directory_};
  killed([&] {
    const auto sightings = std::move(*Sightings::open(options));
    for (int domain = 0; domain < 20; ++domain) {
      sightings->count(print_of(1), Sender::of_domain(std::to_string(domain)), kNow);
    }
    for (size_t mail = 0; mail < entries_ / 8; ++mail) {
      sightings->count(print_of(1000 + mail), Sender::of_domain("a.example"), kNow);
      if (mail % 100'000 == 0 && !sightings->flush()) ::_exit(1);
    }
    if (!sightings->flush()) ::_exit(1);
    sightings->count(print_of(2), Sender::of_domain("b.example"), kNow);
    die();
  });
  const auto sightings = std::move(*Sightings::open(options));
  EXPECT_LE(sightings->fill().entries, entries_ + 8);
  EXPECT_GT(sightings->fill().used, sightings->fill().entries / 2);
  EXPECT_GT(sightings->look_up(print_of(1), {}, kNow)[0].others, 10) << "what many sent stays";
  EXPECT_EQ(sightings->look_up(print_of(2), {}, kNow)[0].others, 0) << "was not flushed";
  EXPECT_EQ(sightings->look_up(print_of(1), {}, kNow + std::chrono::days(9))[0].others, 0) << "expires";
}

TEST_F(StoresAtSize, Greylist) {
  const Greylist::Options options{.entries = entries_, .directory = directory_};
  const auto attempt = [](size_t number) {
    return Attempt{.customer = 7,
                   .origin = "network:" + std::to_string(number),
                   .sender = "x@a.example",
                   .recipients = {"bob@in.example"},
                   .delay = 5min};
  };
  killed([&] {
    const auto list = std::move(*Greylist::open(options));
    list->note(attempt(0), kNow);
    list->note(attempt(0), kNow + 6min);
    for (size_t number = 1; number < entries_ * 3 / 2; ++number) {
      list->note(attempt(number), kNow + 6min);
      if (number % 1'000'000 == 0 && !list->flush()) ::_exit(1);
    }
    if (!list->flush()) ::_exit(1);
    list->note(attempt(1u << 31), kNow + 6min);
    die();
  });
  const auto list = std::move(*Greylist::open(options));
  EXPECT_LE(list->fill().entries, entries_ + 8);
  EXPECT_GT(list->fill().used, list->fill().entries * 9 / 10);
  EXPECT_EQ(list->look_up(attempt(0), kNow + 7min), Greylist::Standing::known);
  EXPECT_EQ(list->look_up(attempt(1u << 31), kNow + 7min), Greylist::Standing::unknown) << "was not flushed";
  EXPECT_EQ(list->look_up(attempt(0), kNow + std::chrono::days(60)), Greylist::Standing::unknown) << "expires";
}

TEST_F(StoresAtSize, Correspondence) {
  const Correspondence::Options options{.entries = entries_, .directory = directory_};
  const Correspondent partner{"ann@partner.example", "partner.example"};
  const std::vector<std::string> bob{"bob@in.example"};
  killed([&] {
    const auto memory = std::move(*Correspondence::open(options));
    const auto write = [&](const std::string& name) {
      memory->sent({.customer = 7, .senders = bob, .recipients = {{name, name.substr(name.find('@') + 1)}}}, kNow);
    };
    write(partner.address);
    for (size_t number = 0; number < entries_ / 2; ++number) {
      const std::string domain = std::to_string(number) + ".example";
      memory->received(
          {.kind = ReceivedMail::Kind::good, .customer = 7, .recipients = bob, .sender = {"a@" + domain, domain}},
          kNow);
      if (number % 1'000'000 == 0 && !memory->flush()) ::_exit(1);
    }
    if (!memory->flush()) ::_exit(1);
    write("late@late.example");
    die();
  });
  const auto memory = std::move(*Correspondence::open(options));
  EXPECT_GT(memory->fill().used, memory->fill().entries * 8 / 10);
  const auto pair = [&](const Correspondent& whom, SystemTime now) {
    return memory->look_up({.customer = 7, .recipients = bob, .sender = whom, .subject = {}}, now).pair.level;
  };
  EXPECT_GE(pair(partner, kNow), 39);
  EXPECT_EQ(pair({"late@late.example", "late.example"}, kNow), 0) << "was not flushed";
  EXPECT_EQ(pair(partner, kNow + std::chrono::days(900)), 0) << "expires";
}

TEST_F(StoresAtSize, WordStatistics) {
  const WordStatistics::Options options{.table_entries = std::bit_ceil(entries_), .directory = directory_};
  const auto mail = [](uint64_t number) {
    Features features;
    for (int word = 0; word < 400; ++word) {
      features.hashes.push_back(number = number * 6364136223846793005u + 1442695040888963407u);
    }
    features.next.fill(features.hashes.size());
    return features;
  };
  killed([&] {
    const auto statistics = std::move(*WordStatistics::open(options));
    for (uint64_t number = 0; number < std::bit_ceil(entries_) / 400; ++number) {
      statistics->learn(mail(number % 2 == 0 ? 1 : 2), 0, number % 2 == 0 ? Label::spam : Label::ham);
      statistics->learn(mail(1000 + number), 0, number % 3 == 0 ? Label::spam : Label::ham);
      if (number % 2000 == 0 && !statistics->flush()) ::_exit(1);
    }
    if (!statistics->flush()) ::_exit(1);
    die();
  });
  const auto statistics = std::move(*WordStatistics::open(options));
  EXPECT_GT(statistics->judge(mail(1), 0).spam, statistics->judge(mail(2), 0).spam) << "what came often stays";
}

}  // namespace
}  // namespace doorward::trust
