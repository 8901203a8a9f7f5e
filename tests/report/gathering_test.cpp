#include "report/gathering.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/id.h"

namespace doorward::report {
namespace {

const std::string kReport =
    "From: d@b.example\r\nSubject: Report Domain: example.org\r\nContent-Type: text/xml\r\n\r\n<feedback>"
    "<report_metadata><org_name>B</org_name><report_id>1</report_id><date_range><begin>1000</begin><end>1999</end>"
    "</date_range></report_metadata><policy_published><domain>example.org</domain></policy_published></feedback>\r\n";

// A mail to one recipient of a customer whose reports go to reports@in.example.
class GatheringTest : public testing::Test {
 protected:
  GatheringTest() {
    std::filesystem::remove_all(place_);
    std::filesystem::create_directory(place_);
    auto settings = std::make_shared<policy::Settings>();
    settings->customer = 7;
    settings->report_addresses = {"reports@in.example"};
    group_.settings = settings;
    group_.recipients = {"Reports@IN.example"};
    envelope_.id = new_id(SystemTime(std::chrono::seconds(5000)));
    envelope_.from.null = false;
    envelope_.from.mailbox = *mail::parse_mailbox("d@b.example");
    client_.ip = *mail::IpAddress::parse("192.0.2.7");
    auto& of = facts_.authentication.emplace();
    of.spf.result = mailauth::Result::pass;
    of.spf.domain = of.dmarc.author_domain = of.dmarc.policy_domain = "b.example";
    of.dmarc.result = mailauth::Result::fail;
    of.dmarc.record = mailauth::parse_dmarc_record("v=DMARC1; p=none; rua=mailto:a@b.example");
    sheet_.groups.resize(1);
    sheet_.groups[0].reply_code = 250;
    options_.gathered.path = options_.incoming.path = place_ / "reports.db";
    options_.incoming.keep = std::chrono::days(36'500);
  }
  ~GatheringTest() override { std::filesystem::remove_all(place_); }

  void start() { gathering_ = std::move(*Gathering::open(options_)); }
  void see(const std::string& raw = kReport) {
    const auto message = mime::Message::parse(raw);
    gathering_->saw(
        {facts_, client_, envelope_, message, sheet_, std::span(&group_, 1), SystemTime(std::chrono::seconds(1000))});
    gathering_->flush();
  }
  std::vector<IncomingReport> kept() { return *(*Incoming::open(options_.incoming))->list({}, 100); }
  size_t gathered() {
    const auto store = std::move(*Gathered::open(options_.gathered));
    EXPECT_TRUE(store->close(SystemTime(std::chrono::hours(24)), true));
    return store->due(SystemTime(std::chrono::hours(24)), 100)->size();
  }

  const std::filesystem::path place_ =
      std::filesystem::temp_directory_path() / ("gathering." + std::to_string(::getpid()));
  GatheringOptions options_;
  gateway::Group group_;
  filter::Facts facts_;
  mail::Client client_;
  mail::Envelope envelope_;
  sheet::ScoreSheet sheet_;
  std::unique_ptr<Gathering> gathering_;
};

TEST_F(GatheringTest, AReportToItsAddressIsKept) {
  start();
  see();
  const auto reports = kept();
  ASSERT_EQ(reports.size(), 1);
  EXPECT_EQ(reports[0].customer, 7);
  EXPECT_EQ(reports[0].received, SystemTime(std::chrono::seconds(5000)));
  EXPECT_EQ(gathered(), 0);  // that was not asked for
}

TEST_F(GatheringTest, WhatWasSeenIsGatheredWhereItIsWanted) {
  options_.observe = true;
  start();
  see();
  EXPECT_EQ(gathered(), 1);
}

TEST_F(GatheringTest, OnlyReportsOfProvenSendersAreRead) {
  start();
  facts_.authentication->spf.result = mailauth::Result::fail;
  see();
  EXPECT_TRUE(kept().empty());
}

TEST_F(GatheringTest, OnlyWhatWasTakenIsRead) {
  start();
  sheet_.groups[0].reply_code = 451;
  see();
  sheet_.groups[0].reply_code = 250;
  sheet_.groups[0].disposition = sheet::Disposition::quarantine;
  see();
  group_.recipients = {"other@in.example"};
  sheet_.groups[0].disposition = sheet::Disposition::deliver;
  see();
  EXPECT_TRUE(kept().empty());
}

TEST_F(GatheringTest, WhatDoesNotFitIsLostAndNothingWaitsForIt) {
  options_.observe = true;
  options_.most_waiting = 0;
  options_.most_octets = 10;
  start();
  see();
  EXPECT_TRUE(kept().empty());
  EXPECT_EQ(gathered(), 0);
}

TEST_F(GatheringTest, WhatWaitsIsWrittenAtTheEnd) {
  options_.batch_every = std::chrono::hours(1);
  start();
  DmarcObservation seen;
  seen.time = SystemTime(std::chrono::seconds(1000));
  seen.published.domain = "example.org";
  seen.row.count = 1;
  gathering_->add(std::move(seen));
  gathering_.reset();
  EXPECT_EQ(gathered(), 1);
}

}  // namespace
}  // namespace doorward::report
