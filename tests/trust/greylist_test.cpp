#include "trust/greylist.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

namespace doorward::trust {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using enum Greylist::Standing;

constexpr SystemTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 9h + 12min;

Attempt attempt(const std::string& origin = "domain:a.example", const std::string& sender = "x@a.example",
                std::vector<std::string> recipients = {"bob@in.example"}) {
  return {.customer = 7, .origin = origin, .sender = sender, .recipients = std::move(recipients), .delay = 5min};
}

class GreylistTest : public testing::Test {
 protected:
  // As a mail that comes: what it finds, and what is found of it afterwards.
  Greylist::Standing comes(const Attempt& mail, SystemTime now) {
    const auto standing = list_->look_up(mail, now);
    list_->note(mail, now);
    return standing;
  }
  std::unique_ptr<Greylist> list_ = std::move(*Greylist::open({.entries = 4096}));
};

TEST_F(GreylistTest, who_comes_again_after_the_delay_is_known) {
  EXPECT_EQ(comes(attempt(), kNow), unknown);
  EXPECT_EQ(comes(attempt(), kNow + 1min), waits);
  EXPECT_EQ(comes(attempt(), kNow + 4min), waits) << "trying early does not begin anew";
  EXPECT_EQ(comes(attempt(), kNow + 6min), came_again);
  EXPECT_EQ(comes(attempt(), kNow + 7min), known);
  EXPECT_EQ(comes(attempt("domain:a.example", "y@a.example", {"eve@in.example"}), kNow + 8min), known);
  EXPECT_EQ(comes(attempt("domain:b.example"), kNow + 8min), unknown);
  Attempt other = attempt();
  other.customer = 8;
  EXPECT_EQ(comes(other, kNow + 8min), unknown) << "another customer's";
}

TEST_F(GreylistTest, another_mail_is_no_second_try) {
  EXPECT_EQ(comes(attempt(), kNow), unknown);
  EXPECT_EQ(comes(attempt("domain:a.example", "x@a.example", {"eve@in.example"}), kNow + 6min), unknown);
  EXPECT_EQ(comes(attempt("domain:a.example", "y@a.example"), kNow + 6min), unknown);
  EXPECT_EQ(comes(attempt("domain:a.example", "x@a.example", {"eve@in.example", "bob@in.example"}), kNow + 7min),
            came_again)
      << "one of the recipients is enough";
}

TEST_F(GreylistTest, forgets) {
  comes(attempt(), kNow);
  EXPECT_EQ(comes(attempt(), kNow + 49h), unknown);
  comes(attempt(), kNow + 50h);
  EXPECT_EQ(comes(attempt(), kNow + 51h), known);
  const auto days = [](int count) { return std::chrono::days(count); };
  EXPECT_EQ(comes(attempt(), kNow + days(30)), known);
  EXPECT_EQ(comes(attempt(), kNow + days(60)), known) << "as long as mail comes";
  EXPECT_EQ(comes(attempt(), kNow + days(100)), unknown);
}

// A machine that boots with a clock that is ahead writes times that come only much later.
TEST_F(GreylistTest, a_clock_that_was_ahead_keeps_nobody_waiting) {
  EXPECT_EQ(comes(attempt(), kNow + std::chrono::days(400)), unknown);
  EXPECT_EQ(comes(attempt(), kNow), unknown);
  EXPECT_EQ(comes(attempt(), kNow + 6min), came_again);
}

TEST_F(GreylistTest, a_delay_of_a_minute_is_one) {
  Attempt soon = attempt();
  soon.delay = 1min;
  EXPECT_EQ(comes(soon, kNow + 59s), unknown);
  EXPECT_EQ(comes(soon, kNow + 61s), waits);
  EXPECT_EQ(comes(soon, kNow + 120s), came_again);
}

TEST_F(GreylistTest, is_kept) {
  const fs::path directory = fs::temp_directory_path() / ("doorward-greylist-" + std::to_string(::getpid()));
  fs::remove_all(directory);
  for (const bool first : {true, false}) {
    list_ = std::move(*Greylist::open({.entries = 4096, .directory = directory}));
    EXPECT_EQ(comes(attempt(), first ? kNow : kNow + 10min), first ? unknown : came_again);
    list_.reset();
  }
  fs::remove_all(directory);
}

TEST_F(GreylistTest, a_flood_does_not_push_out_who_is_known) {
  const auto small = std::move(*Greylist::open({.entries = 512}));
  small->note(attempt(), kNow);
  small->note(attempt(), kNow + 6min);
  for (int i = 0; i < 20000; ++i) small->note(attempt("network:" + std::to_string(i)), kNow + 7min);
  EXPECT_EQ(small->look_up(attempt(), kNow + 8min), known);
}

}  // namespace
}  // namespace doorward::trust
