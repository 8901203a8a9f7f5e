// A million mails for a dead destination: memory, restart, and a new mail's way past them. Prints figures. Runs for
// `make soak`, or where DOORWARD_MILLION says how many mails.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "spool_fixture.h"

namespace doorward::spool {
namespace {

using Steady = std::chrono::steady_clock;

double seconds_since(Steady::time_point begun) { return std::chrono::duration<double>(Steady::now() - begun).count(); }

uint64_t resident() {
  std::ifstream statm("/proc/self/statm");
  uint64_t size = 0, pages = 0;
  statm >> size >> pages;
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

std::shared_ptr<const Mail> one(size_t number, const std::string& destination) {
  auto mail = std::make_shared<Mail>();
  const RealClock clock;
  mail->id = new_id(clock.now());
  mail->received_at = clock.now();
  mail->from = {{"sender" + std::to_string(number), mail::Domain("out.example")}, false};
  mail->size = 600;
  mail->recipients.resize(1);
  mail->recipients[0].to.mailbox = {"user" + std::to_string(number), mail::Domain(destination)};
  mail->recipients[0].destination = {Destination::Kind::mx, destination};
  return mail;
}

std::shared_ptr<const Content> small(size_t octets) {
  return std::make_shared<Content>(mail::Content::of(std::string(octets, 'x')), std::vector<mime::Edits>(1));
}

// `count` mails, `at_once` of them waiting for their 250 at any moment.
Task<void> commit_in_turn(net::Core& core, Spool& spool, size_t from, size_t count, size_t octets, std::string to,
                          std::atomic<size_t>& good, std::atomic<size_t>& ended) {
  const auto content = small(octets);
  for (size_t i = 0; i < count; ++i) {
    if (co_await spool.commit(core, one(from + i, to), content)) ++good;
  }
  ++ended;
}

size_t commit_many(Spool& spool, size_t count, size_t at_once, size_t octets, const std::string& to) {
  net::Cores cores(1);
  cores.start();
  std::atomic<size_t> good{0}, ended{0};
  for (size_t i = 0; i < at_once; ++i) {
    cores.at(0).post([&, i] {
      spawn(commit_in_turn(cores.at(0), spool, i * count / at_once, count / at_once, octets, to, good, ended));
    });
  }
  while (ended < at_once) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  cores.stop();
  cores.join();
  return good;
}

class MillionTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("DOORWARD_MILLION") == nullptr) GTEST_SKIP() << "set DOORWARD_MILLION=1000000";
    options_.directory = "/var/tmp/doorward-million-" + std::to_string(getpid());
  }
  void TearDown() override { std::filesystem::remove_all(options_.directory); }
  Options options_;
  RealClock clock_;
};

TEST_F(MillionTest, AMillionMailsFitAndAreBackSoonAndDelayNobody) {
  const auto count = static_cast<size_t>(std::strtoull(std::getenv("DOORWARD_MILLION"), nullptr, 10));
  const uint64_t before = resident();
  options_.memory = 8 << 20;
  options_.reserve = 0;
  {
    auto spool = *Spool::open(options_, clock_, journal::real_disk());
    const auto begun = Steady::now();
    ASSERT_EQ(commit_many(*spool, count / 1000 * 1000, 1000, 600, "dead.example"), count / 1000 * 1000);
    fmt::print("{} mails committed in {:.1f} s\n", count, seconds_since(begun));
  }
  const auto begun = Steady::now();
  auto spool = *Spool::open(options_, clock_, journal::real_disk());
  const double restart = seconds_since(begun);
  const uint64_t memory = resident() - before;
  fmt::print("restart {:.2f} s, {} MB resident, {} octets a mail\n", restart, memory >> 20U, memory / count);
  EXPECT_EQ(spool->figures().mails, count / 1000 * 1000);
  EXPECT_LE(restart, 10);
  EXPECT_LE(memory, std::max<uint64_t>(500 << 20, 0));
  while (auto job = spool->take(Spool::For::delivery)) spool->report(*job, {}, Health::dead);
  const auto sent = Steady::now();
  ASSERT_EQ(commit_many(*spool, 1, 1, 600, "live.example"), 1U);
  const auto job = spool->take(Spool::For::delivery);
  ASSERT_TRUE(job);
  EXPECT_EQ(job->destination.name, "live.example");
  const double took = seconds_since(sent);
  fmt::print("a new mail to a live destination: {:.1f} ms until taken\n", took * 1000);
  EXPECT_LE(took, 1);
}

TEST_F(MillionTest, WhatACommitCosts) {
  auto spool = *Spool::open(options_, clock_, journal::real_disk());
  for (const size_t at_once : {1U, 10U, 100U}) {
    const size_t count = at_once * 100;
    const auto begun = Steady::now();
    const double cpu = cpu_seconds();
    ASSERT_EQ(commit_many(*spool, count, at_once, 5000, "live.example"), count);
    fmt::print("{} at once: {:.0f} commits/s, {:.0f} us CPU a commit\n", at_once,
               static_cast<double>(count) / seconds_since(begun),
               (cpu_seconds() - cpu) / static_cast<double>(count) * 1e6);
  }
}

}  // namespace
}  // namespace doorward::spool
