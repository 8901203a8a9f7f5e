#include "report/gathered.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace doorward::report {
namespace {

using std::chrono::seconds;

DmarcObservation seen(int64_t time, std::string ip = "192.0.2.1", std::string domain = "example.org") {
  DmarcObservation made;
  made.time = SystemTime(seconds(time));
  made.published.domain = std::move(domain);
  made.published.sp = made.published.np = "none";
  made.published.fo = "0";
  made.addresses = {{"mailto:a@example.org", 1024}};
  made.row.count = 1;
  made.row.source_ip = std::move(ip);
  made.row.header_from = "example.org";
  made.row.spf_domain = "example.org";
  made.row.spf_result = "fail";
  made.row.reasons = {{"local_policy", ""}, {"other", "word"}};
  made.row.signatures = {{"example.org", "s1", "pass"}, {"example.net", "", "fail"}};
  return made;
}

constexpr int64_t kDay = 86'400;
SystemTime at(int64_t time) { return SystemTime(seconds(time)); }

class GatheredTest : public testing::Test {
 protected:
  std::unique_ptr<Gathered> open(GatheredOptions options = {.path = ":memory:"}) {
    auto made = Gathered::open(std::move(options));
    EXPECT_TRUE(made) << made.error().text();
    return std::move(*made);
  }
  static void add(Gathered& to, std::vector<DmarcObservation> some) {
    const auto added = to.add(some);
    ASSERT_TRUE(added) << added.error().text();
  }
  static std::vector<DueReport> all_due(Gathered& from, int64_t now, bool all = false) {
    EXPECT_TRUE(from.close(at(now), all));
    std::vector<DueReport> due;
    for (const auto& id : *from.due(at(now), 100)) due.push_back(std::move(**from.read(id)));
    return due;
  }
};

TEST_F(GatheredTest, MailsThatAreAlikeAreOneRow) {
  const auto store = open();
  auto other = seen(12);
  other.row.dkim = true;
  add(*store, {seen(10), seen(11), other, seen(13, "2001:db8::1")});
  add(*store, {seen(14)});
  EXPECT_TRUE(all_due(*store, kDay - 1).empty());
  const auto due = all_due(*store, kDay);
  ASSERT_EQ(due.size(), 1);
  EXPECT_EQ(due[0].report.begin, 0);
  EXPECT_EQ(due[0].report.end, kDay - 1);
  EXPECT_EQ(due[0].report.published, seen(0).published);
  EXPECT_EQ(due[0].addresses, seen(0).addresses);
  ASSERT_EQ(due[0].report.rows.size(), 3);
  uint64_t most = 0, sum = 0;
  for (const auto& row : due[0].report.rows) {
    most = std::max(most, row.count);
    sum += row.count;
    ASSERT_EQ(row.signatures.size(), 2);
    EXPECT_EQ(row.signatures[0].selector, "s1");
    EXPECT_EQ(row.signatures[1].selector, "");
    ASSERT_EQ(row.reasons.size(), 2);
    EXPECT_EQ(row.reasons[1].comment, "word");
    EXPECT_EQ(row.spf_result, "fail");
    EXPECT_EQ(row.envelope_from, "");
  }
  EXPECT_EQ(most, 3);
  EXPECT_EQ(sum, 5);
}

TEST_F(GatheredTest, DomainsAndPeriodsAreReportsOfTheirOwn) {
  const auto store = open();
  add(*store, {seen(10), seen(10, "192.0.2.1", "example.net"), seen(kDay + 5)});
  EXPECT_EQ(all_due(*store, kDay + 10).size(), 2);
  EXPECT_EQ(all_due(*store, 2 * kDay).size(), 3);
}

TEST_F(GatheredTest, TheLastPolicyOfAPeriodIsTold) {
  const auto store = open();
  auto later = seen(20);
  later.published.p = "reject";
  later.addresses = {{"mailto:b@example.org", 0}};
  add(*store, {seen(10)});
  add(*store, {later});
  const auto due = all_due(*store, kDay);
  EXPECT_EQ(due[0].report.published.p, "reject");
  EXPECT_EQ(due[0].addresses, later.addresses);
}

TEST_F(GatheredTest, WhatWasSentIsNotToldAgain) {
  const auto store = open();
  add(*store, {seen(10)});
  const auto first = all_due(*store, 100, true);
  ASSERT_EQ(first.size(), 1);
  EXPECT_EQ(first[0].report.end, 99);
  ASSERT_TRUE(store->done(first[0].report.id));
  EXPECT_FALSE(*store->read(first[0].report.id));
  EXPECT_TRUE(all_due(*store, kDay).empty());
  add(*store, {seen(200)});
  const auto second = all_due(*store, kDay);
  ASSERT_EQ(second.size(), 1);
  EXPECT_EQ(second[0].report.begin, 100);  // the time before was told
  EXPECT_EQ(second[0].report.rows.size(), 1);
  EXPECT_NE(second[0].report.id, first[0].report.id);
}

TEST_F(GatheredTest, AReportThatFailsIsTriedAgainAndGivenUp) {
  const auto store = open();
  add(*store, {seen(10)});
  const auto due = all_due(*store, kDay);
  ASSERT_TRUE(store->try_again(due[0].report.id, at(kDay + 3600)));
  EXPECT_TRUE(all_due(*store, kDay + 3599).empty());
  EXPECT_EQ(all_due(*store, kDay + 3600)[0].attempts, 1);
  EXPECT_EQ(*store->expire(at(4 * kDay)), 0);
  EXPECT_EQ(*store->expire(at(4 * kDay + 1)), 1);
  EXPECT_TRUE(all_due(*store, 5 * kDay).empty());
}

TEST_F(GatheredTest, RowsAndReportsAreBounded) {
  const auto store = open({.path = ":memory:", .most_rows = 2, .most_rows_in_all = 3, .most_reports = 2});
  add(*store, {seen(1, "192.0.2.1"), seen(1, "192.0.2.2"), seen(1, "192.0.2.3"), seen(1, "192.0.2.1")});
  add(*store,
      {seen(1, "192.0.2.1", "b.example"), seen(1, "192.0.2.2", "b.example"), seen(1, "192.0.2.1", "c.example")});
  const auto due = all_due(*store, kDay);
  ASSERT_EQ(due.size(), 2);
  EXPECT_EQ(due[0].report.rows.size() + due[1].report.rows.size(), 3);
  EXPECT_EQ(due[0].lost + due[1].lost, 2);
}

TEST_F(GatheredTest, TwoConnectionsWorkOnOneFile) {
  const auto path = std::filesystem::temp_directory_path() / ("gathered." + std::to_string(::getpid()));
  {
    const auto writer = open({.path = path.string()}), reader = open({.path = path.string()});
    add(*writer, {seen(10)});
    EXPECT_EQ(all_due(*reader, kDay).size(), 1);
    add(*writer, {seen(20)});  // of a period that is closed: a report of its own
    EXPECT_EQ(all_due(*reader, kDay).size(), 2);
  }
  for (const auto* more : {"", "-wal", "-shm"}) std::filesystem::remove(path.string() + more);
}

}  // namespace
}  // namespace doorward::report
