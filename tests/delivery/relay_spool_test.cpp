// The relay over the real queue: from the commit to the next hop, and over a restart.
#include <filesystem>

#include "delivery/relay_fixture.h"
#include "journal/disk.h"

namespace doorward::delivery {
namespace {

class RelaySpool : public RelayTest {
 protected:
  RelaySpool() { open(); }
  ~RelaySpool() override {
    close();
    std::filesystem::remove_all(folder_);
  }
  void open() {
    spool::Options options;
    options.directory = folder_ + "/spool";
    options.segment = uint64_t{1} << 20;
    options.reserve = 0;
    options.first_retry = first_retry_;
    auto opened = spool::Spool::open(options, clock_, journal::real_disk());
    ASSERT_TRUE(opened) << opened.error().text();
    spool_ = std::move(*opened);
    real_queue_ = queue_of(*spool_);
  }
  void close() {
    end();
    real_queue_.reset();
    spool_.reset();
  }
  void relay() {
    pool_ = make_pool(runner_.core(), proxy_);
    RelayParts parts{
        .queue = *real_queue_, .clock = clock_, .offload = offload_, .resolver = &names_, .snapshot = [this] {
          const std::lock_guard hold(snapshot_lock_);
          return snapshot_;
        }};
    relay_ = std::make_unique<Relay>(options_, std::move(parts), std::vector{RelaySeat{&runner_.core(), pool_}});
    relay_->start();
  }
  void commit(std::shared_ptr<const spool::Mail> mail, std::string_view raw = kContent) {
    runner_.run([&]() -> Task<void> {
      const auto done = co_await spool_->commit(runner_.core(), mail, bytes(raw));
      EXPECT_TRUE(done) << done.error().text();
    });
  }
  bool wait_until_empty(std::chrono::milliseconds within = 15s) {
    const SteadyTime until = std::chrono::steady_clock::now() + within;
    while (spool_->figures().mails != 0 && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(5ms);
    return spool_->figures().mails == 0;
  }
  static std::string make_folder() {
    std::string path = testing::TempDir() + "relayXXXXXX";
    return ::mkdtemp(path.data()) == nullptr ? std::string() : path;
  }

  std::chrono::seconds first_retry_{1};
  std::string folder_ = make_folder();
  std::unique_ptr<spool::Spool> spool_;
  std::unique_ptr<RelayQueue> real_queue_;
};

TEST_F(RelaySpool, WhatIsCommittedArrivesAndIsGone) {
  FakeBackend server;
  protect(server.endpoint());
  relay();
  for (int i = 0; i < 50; ++i) {
    auto made = mail();
    made->recipients.push_back(recipient("one@in.example", at("first")));
    commit(made);
  }
  EXPECT_TRUE(wait_until_empty());
  EXPECT_EQ(server.mails().size(), 50U);
  EXPECT_EQ(server.mails().front().content, kContent);
}

// No mail pays for the search with a retry interval, and what is found is used.
TEST_F(RelaySpool, FindsTheBackendsOwnLimitOfConnections) {
  for (const char* full : {"421 4.7.0 too many connections", FakeBackend::kClose}) {
    close();
    first_retry_ = 3600s;
    open();
    options_.slot_wait = 20s;
    FakeBackend::Options options;
    options.most = 3;
    options.full = full;
    options.work = 30ms;
    FakeBackend server(options);
    protect(server.endpoint());
    const SteadyTime began = std::chrono::steady_clock::now();
    relay();
    for (int i = 0; i < 150; ++i) {
      auto made = mail();
      made->recipients.push_back(recipient("one@in.example", at("first")));
      commit(made);
    }
    EXPECT_TRUE(wait_until_empty(20s)) << full;
    EXPECT_EQ(server.mails().size(), 150U);
    EXPECT_GT(server.turned_away(), 0U) << full;
    EXPECT_LE(server.turned_away(), 20U) << full;
    EXPECT_LE(server.connections() - server.turned_away(), 6U) << full;
    EXPECT_LT(std::chrono::steady_clock::now() - began, 150 * options.work * 3 / 4) << full;
  }
}

TEST_F(RelaySpool, GreylistedMailIsTriedAgainAndRefusedMailIsBounced) {
  FakeBackend server, home;
  server.on("RCPT TO:<grey", "450 4.7.1 later", 1).on("RCPT TO:<gone", "550 5.1.1 no");
  protect(server.endpoint(), home.endpoint());
  relay();
  auto made = mail();
  made->may_bounce = true;
  made->from.mailbox = *mail::parse_mailbox("boss@other.example");
  for (const char* each : {"grey@in.example", "one@in.example", "gone@in.example"})
    made->recipients.push_back(recipient(each, at("first")));
  commit(made);
  EXPECT_TRUE(wait_until_empty());
  EXPECT_EQ(server.mails().size(), 2U);
  ASSERT_EQ(home.mails().size(), 1U);
  EXPECT_THAT(home.mails().front().content, HasSubstr("gone@in.example"));
  EXPECT_THAT(home.mails().front().from, testing::StartsWith("MAIL FROM:<>"));
}

TEST_F(RelaySpool, MailForADeadBackendOutlivesARestartAndFollowsItsDomain) {
  uint16_t port = 0;
  {
    const FakeBackend gone;
    port = gone.port();
  }
  FakeBackend second;
  const net::Endpoint dead = *net::Endpoint::parse("127.0.0.1:" + std::to_string(port));
  protect(dead, second.endpoint());
  relay();
  auto made = mail();
  made->recipients.push_back(recipient("one@in.example", at("first")));
  commit(made);
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(spool_->figures().mails, 1U);
  close();
  open();
  protect(dead, second.endpoint(), false, "second");
  relay();
  EXPECT_TRUE(wait_until_empty());
  ASSERT_EQ(second.mails().size(), 1U);
  EXPECT_EQ(second.mails().front().content, kContent);
}

TEST_F(RelaySpool, StrandedMailStaysUntilAnAdministratorActs) {
  FakeBackend server;
  server.on("RCPT", "550 5.1.1 no", 1);
  protect(server.endpoint());
  relay();
  auto made = mail();
  made->recipients.push_back(recipient("one@in.example", at("first")));
  commit(made);
  for (int i = 0; i < 1000 && spool_->figures().stranded == 0; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(spool_->figures().stranded, 1U);
  EXPECT_EQ(spool_->release({}), 1U);
  EXPECT_TRUE(wait_until_empty());
  EXPECT_EQ(server.mails().size(), 1U);
}

}  // namespace
}  // namespace doorward::delivery
