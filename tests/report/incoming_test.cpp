#include "report/incoming.h"

#include <gtest/gtest.h>

namespace doorward::report {
namespace {

using std::chrono::seconds;

DmarcRecordRow row(std::string ip, uint64_t count, bool passed) {
  DmarcRecordRow made;
  made.source_ip = std::move(ip);
  made.count = count;
  made.dkim = passed;
  made.header_from = "example.org";
  made.signatures = {{"example.org", "s", "pass"}};
  return made;
}

ReadReports dmarc(std::string id, int64_t end = 2000, std::string domain = "example.org") {
  DmarcReport made;
  made.organization = "B";
  made.id = std::move(id);
  made.begin = 1000;
  made.end = end;
  made.published.domain = std::move(domain);
  made.published.p = "reject";
  made.rows = {row("192.0.2.1", 5, true), row("192.0.2.2", 3, false)};
  ReadReports read;
  read.dmarc.push_back(std::move(made));
  return read;
}

ReadReports tls() {
  TlsReport made;
  made.organization = "C";
  made.id = "t";
  made.begin = 1000;
  made.end = 2000;
  made.policies = {{"sts", "example.org", 10, 2, {{"certificate-expired", "192.0.2.9", "mx.example.org", "", "", 2}}},
                   {"tlsa", "example.org", 7, 0, {}}};
  ReadReports read;
  read.tls.push_back(std::move(made));
  return read;
}

SystemTime at(int64_t time) { return SystemTime(seconds(time)); }

std::unique_ptr<Incoming> open(IncomingOptions options = {.path = ":memory:"}) {
  auto made = Incoming::open(std::move(options));
  EXPECT_TRUE(made) << made.error().text();
  return std::move(*made);
}

TEST(Incoming, KeepsWhatAReportSays) {
  const auto store = open();
  EXPECT_EQ(*store->add(dmarc("1"), 7, at(5000)), 1);
  const auto all = store->list({}, 10);
  ASSERT_EQ(all->size(), 1);
  const IncomingReport report = all->front();
  EXPECT_EQ(report.kind, "dmarc");
  EXPECT_EQ(report.domain, "example.org");
  EXPECT_EQ(report.policy, "p=reject");
  EXPECT_EQ(report.passed, 5);
  EXPECT_EQ(report.failed, 3);
  EXPECT_EQ(report.customer, 7);
  EXPECT_EQ(report.received, at(5000));
  EXPECT_EQ((*store->find(report.id))->report_id, "1");
  const auto rows = store->rows(report.id);
  ASSERT_EQ(rows->size(), 2);
  EXPECT_EQ(rows->front().source, "192.0.2.2");  // what failed stands first
  EXPECT_NE(rows->front().detail.find(R"("header_from":"example.org")"), std::string::npos);
  EXPECT_FALSE(*store->find("nothing"));
}

TEST(Incoming, AReportThatComesTwiceCountsOnce) {
  const auto store = open();
  EXPECT_EQ(*store->add(dmarc("1"), 0, at(5000)), 1);
  EXPECT_EQ(*store->add(dmarc("1"), 0, at(6000)), 0);
  EXPECT_EQ(*store->add(dmarc("2"), 0, at(6000)), 1);
  EXPECT_EQ(store->list({}, 10)->size(), 2);
  EXPECT_EQ(store->sources({}, 10)->front().failed, 6);
}

TEST(Incoming, EachPolicyOfATlsReportStandsForItself) {
  const auto store = open();
  EXPECT_EQ(*store->add(tls(), 0, at(5000)), 2);
  const auto all = store->list({.domain = "example.org", .kind = "tls", .since = {}}, 10);
  ASSERT_EQ(all->size(), 2);
  EXPECT_EQ(all->front().passed + all->back().passed, 17);
  EXPECT_TRUE(store->sources({}, 10)->empty());  // of DMARC alone
}

TEST(Incoming, IsSearchedAndSummed) {
  const auto store = open();
  ASSERT_TRUE(store->add(dmarc("1"), 0, at(5000)));
  ASSERT_TRUE(store->add(dmarc("2", 9000), 0, at(5000)));
  ASSERT_TRUE(store->add(dmarc("3", 9000, "example.net"), 0, at(5000)));
  EXPECT_EQ(store->list({.domain = "example.net", .kind = {}, .since = {}}, 10)->size(), 1);
  EXPECT_EQ(store->list({.domain = {}, .kind = {}, .since = at(3000)}, 10)->size(), 2);
  EXPECT_EQ(store->list({}, 2)->size(), 2);
  const auto sources = store->sources({.domain = "example.org", .kind = {}, .since = {}}, 10);
  ASSERT_EQ(sources->size(), 2);
  EXPECT_EQ(sources->front().source, "192.0.2.2");
  EXPECT_EQ(sources->front().failed, 6);
  EXPECT_EQ(sources->back().passed, 10);
  EXPECT_EQ(sources->back().last, 9000);
}

TEST(Incoming, OfALongReportTheSmallestRowsAreSummedUp) {
  const auto store = open({.path = ":memory:", .keep = std::chrono::days(1), .most_of_report = 2});
  ReadReports read = dmarc("1");
  auto& rows = read.dmarc[0].rows;
  rows = {row("192.0.2.1", 5, true), row("192.0.2.2", 9, false), row("192.0.2.3", 1, true), row("192.0.2.4", 2, true),
          row("192.0.2.5", 3, false)};
  ASSERT_TRUE(store->add(read, 0, at(5000)));
  const auto report = store->list({}, 1)->front();
  EXPECT_EQ(report.passed, 8);
  EXPECT_EQ(report.failed, 12);
  const auto kept = store->rows(report.id);
  ASSERT_EQ(kept->size(), 4);
  uint64_t all = 0;
  for (const auto& one : *kept) all += one.count;
  EXPECT_EQ(all, 20);
  EXPECT_EQ((*kept)[0].source, "192.0.2.2");
  EXPECT_EQ((*kept)[1].source, "");
  EXPECT_EQ((*kept)[1].count, 3);
}

TEST(Incoming, TheOldestGoFirst) {
  const auto store = open({.path = ":memory:", .keep = std::chrono::days(1), .most_reports = 3, .most_rows = 100});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(store->add(dmarc(std::to_string(i)), 0, at(5000 + i)));
  EXPECT_EQ(store->list({}, 10)->size(), 3);
  EXPECT_EQ(store->sources({}, 10)->front().failed, 9);  // their rows went with them
  ASSERT_TRUE(store->expire(at(5003 + 86'400)));
  EXPECT_EQ(store->list({}, 10)->size(), 2);
  const auto shared = open({.path = ":memory:", .keep = std::chrono::days(1), .most_reports = 4});
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(shared->add(dmarc(std::to_string(i)), i == 0 ? 1 : 2, at(5000 + i)));
  size_t of_first = 0;
  for (const auto& one : *shared->list({}, 10)) of_first += one.customer == 1 ? 1 : 0;
  EXPECT_EQ(of_first, 1);  // however old: the other one has more
  const auto narrow = open({.path = ":memory:", .keep = std::chrono::days(1), .most_reports = 100, .most_rows = 5});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(narrow->add(dmarc(std::to_string(i)), 0, at(5000)));
  EXPECT_EQ(narrow->list({}, 10)->size(), 2);
}

}  // namespace
}  // namespace doorward::report
