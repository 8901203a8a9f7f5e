// What the queue knows of a mail that the gateway keeps, as far as senders may be told of it.
#include "gateway/spooling.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "delivery/core_runner.h"
#include "gateway/notice.h"
#include "journal/disk.h"
#include "policy/file.h"

namespace doorward::gateway {
namespace {

constexpr std::string_view kPolicy = R"(
[[backend]]
name = "office"
address = ["127.0.0.1:2525"]
[[customer]]
name = "Test"
[[customer.domain]]
name = "knows.example"
backend = "office"
delivery = "relay"
recipients = "listed"
catch_all = "all@knows.example"
[[customer.domain.entry]]
kind = "sender-domain"
pass = "partner.example"
network = "192.0.2.0/24"
[[customer.domain]]
name = "other.example"
backend = "office"
delivery = "relay"
recipients = "listed"
catch_all = "all@other.example"
)";

class SpoolingTest : public testing::Test {
 protected:
  SpoolingTest() {
    auto policy = policy::parse_file(kPolicy, "test");
    EXPECT_TRUE(policy) << policy.error().text();
    snapshot_ = *policy::Snapshot::make(std::move(*policy), "");
    spool::Options options;
    options.directory = folder_ + "/spool";
    options.reserve = 0;
    options.segment = uint64_t{1} << 20;
    auto opened = spool::Spool::open(options, clock_, journal::real_disk());
    EXPECT_TRUE(opened) << opened.error().text();
    spool_ = std::move(*opened);
    envelope_.id = "01JDTESTTESTTESTTESTTESTTE";
    envelope_.from = {.mailbox = *mail::parse_mailbox("anna@partner.example"), .null = false};
    client_.ip = *mail::IpAddress::parse("192.0.2.1");
  }
  ~SpoolingTest() override {
    spool_.reset();
    std::filesystem::remove_all(folder_);
  }

  // Whether the kept mail's sender may be told, as the queue has it.
  bool may_bounce(const std::vector<std::string>& addresses) {
    std::vector<Taken> taken;
    for (const auto& address : addresses) {
      auto recipient = take_recipient(*snapshot_, client_, envelope_, {*mail::parse_mailbox(address), {}, {}}, {});
      EXPECT_TRUE(recipient) << recipient.error().lines.front();
      taken.push_back(*recipient);
    }
    sheet::ScoreSheet sheet;
    sheet.direction = sheet::Direction::inbound;
    Spooling spooling(facts_, client_, envelope_, sheet, clock_.now());
    for (const auto& recipient : taken)
      spooling.add({}, sheet::Class::clean, sheet::Disposition::deliver, {&recipient});
    runner_.run([&]() -> Task<void> {
      mail::Content content;
      EXPECT_TRUE(content.append("Subject: x\r\n\r\nx\r\n"));
      EXPECT_TRUE(content.finish());
      EXPECT_TRUE(co_await spooling.commit(*spool_, runner_.core(), std::move(content)));
    });
    const auto listed = spool_->list({}, 10);
    EXPECT_EQ(listed.size(), 1U);
    spool_->remove({});
    return !listed.empty() && listed.front().mail->may_bounce;
  }

  static std::string make_folder() {
    std::string path = testing::TempDir() + "spoolingXXXXXX";
    return ::mkdtemp(path.data()) == nullptr ? std::string() : path;
  }
  const std::string folder_ = make_folder();
  RealClock clock_;
  test::CoreRunner runner_;
  std::shared_ptr<const policy::Snapshot> snapshot_;
  std::unique_ptr<spool::Spool> spool_;
  filter::Facts facts_;
  mail::Client client_;
  mail::Envelope envelope_;
};

TEST_F(SpoolingTest, AStrangerMayNotBeTold) {
  EXPECT_FALSE(may_bounce({"bob@other.example"}));
  client_.ip = *mail::IpAddress::parse("198.51.100.1");
  EXPECT_FALSE(may_bounce({"bob@knows.example"})) << "the pass names another network";
}

TEST_F(SpoolingTest, ASenderThatTheRecipientsTenantProvesMayBeTold) { EXPECT_TRUE(may_bounce({"bob@knows.example"})); }

TEST_F(SpoolingTest, OneTenantDoesNotSpeakForAnother) {
  EXPECT_FALSE(may_bounce({"bob@knows.example", "bob@other.example"}));
  EXPECT_FALSE(may_bounce({"bob@other.example", "bob@knows.example"}));
}

TEST_F(SpoolingTest, TheNullPathIsNeverTold) {
  envelope_.from = {};
  EXPECT_FALSE(may_bounce({"bob@knows.example"}));
}

}  // namespace
}  // namespace doorward::gateway
