#include "report/failures.h"

#include <gtest/gtest.h>

#include <thread>

#include "journal/fake_disk.h"
#include "net/fake_resolver.h"

namespace doorward::report {
namespace {

using namespace std::chrono_literals;
using mailauth::Result;

class FailuresTest : public testing::Test {
 protected:
  FailuresTest() {
    spool_ = std::move(*spool::Spool::open({.directory = "spool"}, clock_, disk_));
    FailuresOptions options;
    options.sender = {.organization = "In", .contact = "dmarc@in.example", .host_name = "mx.in.example"};
    options.an_hour = 3;
    options.in_all = 5;
    options.deadline = 2s;
    failures_ = std::make_unique<Failures>(
        std::move(options), FailuresParts{clock_, dns_, *spool_, [] { return policy::Snapshot::defaults(); }});
    failures_->start();
  }
  ~FailuresTest() override { failures_->stop(); }

  void fail_in_the_name_of(const std::string& domain, const std::string& ruf) {
    filter::Facts facts;
    auto& of = facts.authentication.emplace();
    of.spf.result = Result::fail;
    of.spf.domain = domain;
    of.dmarc.result = Result::fail;
    of.dmarc.author_domain = of.dmarc.policy_domain = of.dmarc.organizational_domain = domain;
    of.dmarc.record = mailauth::parse_dmarc_record("v=DMARC1; p=none; ruf=" + ruf);
    mail::Client client;
    client.ip = *mail::IpAddress::parse("192.0.2.7");
    mail::Envelope envelope;
    envelope.from.null = false;
    envelope.from.mailbox = *mail::parse_mailbox("a@" + domain);
    const std::string text = "From: a@" + domain + "\r\n\r\n";
    const auto message = mime::Message::parse(text);
    sheet::ScoreSheet sheet;
    sheet.groups.resize(1);
    sheet.groups[0].reply_code = 250;
    failures_->saw({facts, client, envelope, message, sheet, {}, clock_.now()});
  }
  // Once so many are there, or what is after a while.
  std::vector<std::string> recipients(size_t wanted) {
    std::vector<std::string> all;
    for (int attempt = 0; attempt < 200; ++attempt) {
      all.clear();
      for (const auto& listed : spool_->list({}, 100)) all.push_back(listed.mail->recipients[0].given);
      if (all.size() >= wanted) break;
      std::this_thread::sleep_for(10ms);
    }
    std::ranges::sort(all);
    return all;
  }

  ManualClock clock_{SystemTime(std::chrono::seconds(1'700'000'000))};
  journal::FakeDisk disk_;
  net::test::FakeResolver dns_;
  std::unique_ptr<spool::Spool> spool_;
  std::unique_ptr<Failures> failures_;
};

TEST_F(FailuresTest, AReportGoesToTheQueueWithTheRecordOfSpf) {
  dns_.txt("example.org", "other");
  dns_.txt("example.org", "v=spf1 ip4:192.0.2.1 -all");
  fail_in_the_name_of("example.org", "mailto:r@example.org");
  ASSERT_EQ(recipients(1), std::vector<std::string>{"r@example.org"});
  const auto listed = spool_->list({}, 1);
  EXPECT_TRUE(listed[0].mail->from.null);
  EXPECT_FALSE(listed[0].mail->may_bounce);
  const auto content = spool_->read(*listed[0].mail);
  ASSERT_TRUE(content);
  EXPECT_NE((*content)->raw().find("SPF-DNS: txt : example.org : \"v=spf1 ip4:192.0.2.1 -all\""), std::string::npos);
}

TEST_F(FailuresTest, WhoDidNotAgreeGetsNothing) {
  fail_in_the_name_of("example.org", "mailto:victim@elsewhere.example,mailto:r@example.org");
  EXPECT_EQ(recipients(1), std::vector<std::string>{"r@example.org"});
}

TEST_F(FailuresTest, FewAnHourOfOneDomainAndInAll) {
  for (int i = 0; i < 10; ++i) fail_in_the_name_of("example.org", "mailto:r@example.org");
  EXPECT_EQ(recipients(3).size(), 3U);
  for (int i = 0; i < 10; ++i) {
    const auto domain = "d" + std::to_string(i) + ".example";
    fail_in_the_name_of(domain, "mailto:r@" + domain);
  }
  EXPECT_EQ(recipients(5).size(), 5U);
  clock_.advance(1h);
  fail_in_the_name_of("example.org", "mailto:r@example.org");
  EXPECT_EQ(recipients(6).size(), 6U);
}

TEST_F(FailuresTest, EndsWhileNameServersAreSilent) {
  dns_.die();
  fail_in_the_name_of("example.org", "mailto:r@elsewhere.example");
  failures_->stop();
  fail_in_the_name_of("example.org", "mailto:r@example.org");  // after the end: nothing
  EXPECT_TRUE(spool_->list({}, 100).empty());
}

}  // namespace
}  // namespace doorward::report
