#include "delivery/recipient_check.h"

#include <filesystem>

#include "delivery/proxy_fixture.h"

namespace doorward::delivery {
namespace {

using Kind = RecipientAnswer::Kind;

class RecipientCheckTest : public Proxy {
 protected:
  RecipientCheckTest() { open(); }
  ~RecipientCheckTest() override {
    memory_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open() {
    memory_.reset();
    RecipientMemoryOptions options;
    options.path = folder_ + "/recipients.db";
    auto opened = RecipientMemory::open(options, clock_);
    ASSERT_TRUE(opened) << opened.error().text();
    memory_ = std::move(*opened);
    check_ = std::make_unique<RecipientCheck>(RecipientCheckOptions{}, *memory_, clock_);
  }
  RecipientAnswer ask(const std::shared_ptr<const Backend>& to, std::string_view address, bool listed = false) {
    RecipientAnswer answer;
    runner_.run(
        [&]() -> Task<void> { answer = co_await check_->check(pool(), to, *mail::parse_mailbox(address), listed); });
    return answer;
  }
  static std::string make_folder() {
    std::string path = testing::TempDir() + "recipientsXXXXXX";
    return ::mkdtemp(path.data()) == nullptr ? std::string() : path;
  }

  std::string folder_ = make_folder();
  ManualClock clock_{SystemTime(1'790'000'000s)};
  std::unique_ptr<RecipientMemory> memory_;
  std::unique_ptr<RecipientCheck> check_;
};

TEST_F(RecipientCheckTest, AsksOnceAndRemembersBothAnswers) {
  FakeBackend server;
  server.on("RCPT", "550 5.1.1 unknown user").on("RCPT TO:<one@", "250 2.1.5 ok");
  const auto to = backend(server);
  EXPECT_EQ(ask(to, "one@in.example").kind, Kind::known);
  const auto refused = ask(to, "nobody@in.example");
  EXPECT_EQ(refused.kind, Kind::unknown);
  EXPECT_EQ(refused.reply.enhanced, (EnhancedStatus{5, 1, 1}));
  const size_t asked = server.count("RCPT");
  const auto again = ask(to, "One@in.example");
  EXPECT_EQ(again.kind, Kind::known);
  EXPECT_TRUE(again.remembered);
  EXPECT_FALSE(again.accepts_everything);
  EXPECT_EQ(ask(to, "nobody@in.example").reply.enhanced, (EnhancedStatus{5, 1, 1}));
  EXPECT_EQ(server.count("RCPT"), asked);
  EXPECT_EQ(server.connections(), 1U);
  EXPECT_EQ(server.count("MAIL FROM:<>"), server.count("MAIL"));
  clock_.advance(16min);
  EXPECT_EQ(ask(to, "nobody@in.example").kind, Kind::unknown);
  EXPECT_EQ(server.count("RCPT"), asked + 1);
}

TEST_F(RecipientCheckTest, KnownOnesSurviveTheBackendsOutageAndARestart) {
  std::shared_ptr<const Backend> to;
  {
    FakeBackend server;
    server.on("RCPT", "550 5.1.1 unknown user").on("RCPT TO:<one@", "250 2.1.5 ok");
    to = backend(server);
    EXPECT_EQ(ask(to, "one@in.example").kind, Kind::known);
    memory_->flush();
  }
  open();
  EXPECT_EQ(ask(to, "one@in.example").kind, Kind::known);
  clock_.advance(48h);  // to be refreshed, and nobody answers
  const auto stale = ask(to, "one@in.example");
  EXPECT_EQ(stale.kind, Kind::known);
  EXPECT_TRUE(stale.remembered);
  const auto stranger = ask(to, "two@in.example");
  EXPECT_EQ(stranger.kind, Kind::no_answer);
  EXPECT_EQ(stranger.reply.code, 451);
  clock_.advance(6 * 24h);
  EXPECT_EQ(ask(to, "one@in.example").kind, Kind::no_answer);
}

TEST_F(RecipientCheckTest, AKnownOneThatLeftIsForgotten) {
  FakeBackend server;
  server.on("RCPT", "550 5.1.1 unknown user").on("RCPT TO:<one@", "250 2.1.5 ok", 1);
  const auto to = backend(server);
  EXPECT_EQ(ask(to, "one@in.example").kind, Kind::known);
  clock_.advance(25h);
  EXPECT_EQ(ask(to, "one@in.example").kind, Kind::unknown);
  memory_->flush();
  open();
  EXPECT_FALSE(memory_->find(1, "one@in.example"));
}

TEST_F(RecipientCheckTest, ABackendThatTakesEverythingIsNoticedOnceADay) {
  FakeBackend server;
  const auto to = backend(server);
  const auto first = ask(to, "one@in.example");
  EXPECT_EQ(first.kind, Kind::known);
  EXPECT_TRUE(first.accepts_everything);
  EXPECT_EQ(server.count("RCPT TO:<doorward-"), 1U);
  EXPECT_TRUE(ask(to, "two@in.example").accepts_everything);
  EXPECT_TRUE(ask(to, "one@in.example").accepts_everything);
  EXPECT_EQ(server.count("RCPT TO:<doorward-"), 1U);
  EXPECT_TRUE(ask(to, "one@other.example").accepts_everything);
  EXPECT_EQ(server.count("RCPT TO:<doorward-"), 2U);  // each domain by itself
  memory_->flush();
  open();
  EXPECT_TRUE(memory_->probe(1, "in.example")->accepts_everything);
  EXPECT_FALSE(memory_->find(1, "one@in.example"));  // not kept on disk: anybody could fill it
  server.on("RCPT TO:<doorward-", "550 5.1.1 unknown user");
  clock_.advance(25h);
  EXPECT_FALSE(ask(to, "three@in.example").accepts_everything);
  EXPECT_TRUE(memory_->find(1, "three@in.example"));
}

TEST_F(RecipientCheckTest, WhatTheBackendSaysOfUsIsNoAnswer) {
  FakeBackend server;
  server.on("MAIL", "550 5.7.1 no null senders here");
  const auto to = backend(server);
  const auto answer = ask(to, "one@in.example");
  EXPECT_EQ(answer.kind, Kind::no_answer);
  EXPECT_EQ(answer.reply.code, 451);
  EXPECT_FALSE(memory_->find(1, "one@in.example"));
  EXPECT_FALSE(memory_->probe(1, "in.example"));
  EXPECT_EQ(ask(to, "one@in.example", true).kind, Kind::known);  // listed: nobody is asked
  EXPECT_EQ(server.count("MAIL"), 1U);
}

TEST_F(RecipientCheckTest, MemoryIsBounded) {
  RecipientMemoryOptions options;
  options.path = ":memory:";
  options.most_known = options.most_unknown = 100;
  auto memory = *RecipientMemory::open(options, clock_);
  for (int i = 0; i < 1000; ++i) {
    memory->keep_known(1, "k" + std::to_string(i) + "@in.example", true);
    memory->keep_unknown(1, "u" + std::to_string(i) + "@in.example", Reply(550, {5, 1, 1}, "no"));
  }
  int known = 0, unknown = 0;
  for (int i = 0; i < 1000; ++i) {
    known += memory->find(1, "k" + std::to_string(i) + "@in.example") ? 1 : 0;
    unknown += memory->find(1, "u" + std::to_string(i) + "@in.example") ? 1 : 0;
  }
  EXPECT_LE(known, 100);
  EXPECT_LE(unknown, 100);
  EXPECT_TRUE(memory->find(1, "k999@in.example")->exists);
}

}  // namespace
}  // namespace doorward::delivery
