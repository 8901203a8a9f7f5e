#include "report/sending.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "journal/fake_disk.h"
#include "net/fake_resolver.h"
#include "report/compression.h"

namespace doorward::report {
namespace {

using std::chrono::seconds;

class SendingTest : public testing::Test {
 protected:
  SendingTest() {
    std::filesystem::remove_all(place_);
    std::filesystem::create_directory(place_);
    spool_ = std::move(*spool::Spool::open({.directory = "spool"}, clock_, disk_));
    gathered_.path = place_ / "reports.db";
    GatheringOptions gathers;
    gathers.gathered = gathered_;
    gathers.incoming.path = gathered_.path;
    gathering_ = std::move(*Gathering::open(std::move(gathers)));
    SendingOptions options;
    options.sender.organization = "B";
    options.sender.contact = "dmarc@b.example";
    options.gathered = gathered_;
    options.deadline = seconds(2);
    sending_ = std::move(*Sending::open(
        std::move(options), {clock_, *gathering_, dns_, *spool_, [] { return policy::Snapshot::defaults(); }}));
    sending_->start();
  }
  ~SendingTest() override {
    sending_->stop();
    spool_.reset();
    sending_.reset();
    gathering_.reset();
    std::filesystem::remove_all(place_);
  }

  void see(std::vector<ReportAddress> addresses, std::string domain = "example.org", std::string ip = "192.0.2.1") {
    DmarcObservation seen;
    seen.time = clock_.now();
    seen.published.domain = std::move(domain);
    seen.addresses = std::move(addresses);
    seen.row.count = 1;
    seen.row.source_ip = std::move(ip);
    seen.row.header_from = seen.published.domain;
    gathering_->add(std::move(seen));
  }
  SentReports send(bool all = true) {
    const auto sent = sending_->send(all);
    EXPECT_TRUE(sent) << sent.error().text();
    return sent.value_or(SentReports{});
  }
  std::vector<std::string> recipients() {
    std::vector<std::string> all;
    for (const auto& listed : spool_->list({}, 100)) all.push_back(listed.mail->recipients[0].given);
    std::ranges::sort(all);
    return all;
  }

  const std::filesystem::path place_ =
      std::filesystem::temp_directory_path() / ("sending." + std::to_string(::getpid()));
  ManualClock clock_{SystemTime(seconds(1'700'000'000))};
  journal::FakeDisk disk_;
  net::test::FakeResolver dns_;
  GatheredOptions gathered_;
  std::unique_ptr<Gathering> gathering_;
  std::unique_ptr<Sending> sending_;
  std::unique_ptr<spool::Spool> spool_;
};

TEST_F(SendingTest, AReportOfAnEndedPeriodGoesToTheQueueOnce) {
  see({{"mailto:a@example.org", 0}});
  EXPECT_EQ(send(false).reports, 0);                       // the day is not over
  clock_.advance(seconds(1'700'006'400 - 1'700'000'000));  // midnight: what was seen a moment ago may be on its way
  EXPECT_EQ(send(false).reports, 0);
  clock_.advance(seconds(60));
  const auto sent = send(false);
  EXPECT_EQ(sent.reports, 1);
  EXPECT_EQ(sent.mails, 1);
  EXPECT_EQ(recipients(), std::vector<std::string>{"a@example.org"});
  EXPECT_EQ(send(true).reports, 0);
  EXPECT_EQ(recipients().size(), 1);
}

TEST_F(SendingTest, ItsMailHoldsTheReport) {
  see({{"mailto:a@example.org", 0}});
  see({{"mailto:a@example.org", 0}});
  send();
  const auto listed = spool_->list({}, 1);
  ASSERT_EQ(listed.size(), 1);
  const auto content = spool_->read(*listed[0].mail);
  const auto message = mime::Message::parse((*content)->raw());
  const auto xml = gunzip(message.decoded(message.parts()[2]), 100'000);
  ASSERT_TRUE(xml);
  EXPECT_NE(xml->find("<count>2</count>"), std::string::npos);
  EXPECT_NE(xml->find("<org_name>B</org_name>"), std::string::npos);
  EXPECT_NE(xml->find("<domain>example.org</domain>"), std::string::npos);
}

TEST_F(SendingTest, WhoDidNotAgreeGetsNothing) {
  see({{"mailto:victim@example.net", 0}});
  const auto sent = send();
  EXPECT_EQ(sent.reports, 1);  // that is settled
  EXPECT_EQ(sent.mails, 0);
  EXPECT_TRUE(recipients().empty());
}

TEST_F(SendingTest, AReportThatIsTooLargeForOneAddressGoesToTheOther) {
  see({{"mailto:small@example.org", 500}, {"mailto:large@example.org", 100'000}});
  send();
  EXPECT_EQ(recipients(), std::vector<std::string>{"large@example.org"});
}

TEST_F(SendingTest, WhereNamesAreSilentItIsTriedAgain) {
  dns_.status("example.org._report._dmarc.example.net", net::DnsType::txt, net::DnsStatus::servfail);
  see({{"mailto:r@example.net", 0}, {"mailto:a@example.org", 0}});
  EXPECT_EQ(send().postponed, 1);
  EXPECT_EQ(send().postponed, 0);  // not at once
  EXPECT_TRUE(recipients().empty());
  for (int i = 0; i < 4; ++i) {
    clock_.advance(seconds(3600));
    EXPECT_EQ(send().postponed, 1);
  }
  clock_.advance(seconds(3600));
  EXPECT_EQ(send().reports, 1);  // the last time it goes to those who are known
  EXPECT_EQ(recipients(), std::vector<std::string>{"a@example.org"});
}

TEST_F(SendingTest, ManyReportsGoInOneRun) {
  for (int i = 0; i < 250; ++i) {
    const std::string domain = "d" + std::to_string(i) + ".example";
    see({{"mailto:a@" + domain, 0}}, domain);
  }
  EXPECT_EQ(send().mails, 250);
}

TEST_F(SendingTest, AStoppedOneSaysSo) {
  sending_->stop();
  EXPECT_FALSE(sending_->send(true));
}

}  // namespace
}  // namespace doorward::report
