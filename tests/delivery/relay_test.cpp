#include "delivery/relay.h"

#include "delivery/relay_fixture.h"
#include "delivery/relay_outcome.h"

namespace doorward::delivery {
namespace {

TEST_F(RelayTest, BringsAMailToItsBackendOverAKeptConnection) {
  FakeBackend server;
  protect(server.endpoint());
  start();
  EXPECT_THAT(send(job_for({"one@in.example", "two@in.example"}, at("first"))),
              ElementsAre(Kind::delivered, Kind::delivered));
  EXPECT_EQ(last_.health, Health::good);
  EXPECT_THAT(last_.outcomes.front().remote, HasSubstr("first 127.0.0.1:"));
  EXPECT_EQ(last_.outcomes.front().reply.lines.front(), "stored");
  EXPECT_THAT(send(job_for({"one@in.example"}, at("first"))), ElementsAre(Kind::delivered));
  EXPECT_EQ(server.connections(), 1U);
  ASSERT_EQ(server.mails().size(), 2U);
  EXPECT_EQ(server.mails()[0].content, kContent);
  EXPECT_EQ(server.mails()[0].from, "MAIL FROM:<sender@out.example> SIZE=" + std::to_string(kContent.size()));
  EXPECT_TRUE(queue_.stored().empty());
}

TEST_F(RelayTest, ReadsContentsThatAreNotAtHand) {
  FakeBackend server;
  protect(server.endpoint());
  start();
  spool::Job one = job_for({"one@in.example"}, at("first"));
  one.content = nullptr;
  EXPECT_THAT(send(one), ElementsAre(Kind::retry));  // unreadable: nothing is sent
  EXPECT_TRUE(server.mails().empty());
  queue_.keep_content(bytes());
  EXPECT_THAT(send(one), ElementsAre(Kind::delivered));
  EXPECT_EQ(server.mails().size(), 1U);
}

TEST_F(RelayTest, EachRecipientHasItsOwnAnswer) {
  FakeBackend server;
  server.on("RCPT TO:<grey", "450 4.7.1 come back later").on("RCPT TO:<gone", "550 5.1.1 no such user");
  protect(server.endpoint());
  start();
  EXPECT_THAT(send(job_for({"grey@in.example", "one@in.example", "gone@in.example"}, at("first"))),
              ElementsAre(Kind::retry, Kind::delivered, Kind::stranded));
  EXPECT_EQ(last_.health, Health::good);
  for (const Outcome& each : last_.outcomes) EXPECT_NE(each.reply.code, 0);
}

TEST_F(RelayTest, LmtpAnswersForEachRecipientAfterTheData) {
  FakeBackend::Options options;
  options.lmtp = true;
  FakeBackend server(options);
  server.on("content", "250 2.0.0 second stored", 1)
      .on("content", "452 4.2.2 over quota", 1)
      .on("content", "250 2.0.0 first stored", 1);
  protect(server.endpoint(), {}, true);
  start();
  EXPECT_THAT(send(job_for({"one@in.example", "full@in.example", "two@in.example"}, at("first"))),
              ElementsAre(Kind::delivered, Kind::retry, Kind::delivered));
}

TEST_F(RelayTest, RecipientsThatAreTooManyForOneTransactionGetTheNext) {
  FakeBackend server;
  server.on("RCPT TO:<three", "452 4.5.3 too many recipients", 1).on("RCPT TO:<two", "452 too many recipients", 1);
  protect(server.endpoint());
  start();
  EXPECT_THAT(send(job_for({"one@in.example", "two@in.example", "three@in.example"}, at("first"))),
              ElementsAre(Kind::delivered, Kind::delivered, Kind::delivered));
  ASSERT_EQ(server.mails().size(), 2U);
  EXPECT_EQ(server.mails()[0].recipients.size() + server.mails()[1].recipients.size(), 3U);
}

TEST_F(RelayTest, A421AnywhereIsATimeToWait) {
  for (const char* where : {"greeting", "MAIL", "RCPT", "content", "RSET"}) {
    FakeBackend server;
    server.on(where, "421 4.3.2 closing");
    protect(server.endpoint());
    start();
    if (std::string_view(where) == "RSET") server.on("RCPT TO:<no", "450 4.2.1 no", 1);
    const auto found = send(job_for({"no@in.example", "one@in.example"}, at("first")));
    if (std::string_view(where) != "RSET") {
      EXPECT_THAT(found, ElementsAre(Kind::retry, Kind::retry)) << where;
      EXPECT_EQ(last_.health, Health::busy) << where;
      EXPECT_TRUE(server.mails().empty()) << where;
    }
    end();
  }
}

TEST_F(RelayTest, AConnectionThatDiesBeforeTheContentIsReplacedOnlyWhereItWasIdle) {
  FakeBackend server;
  protect(server.endpoint());
  start();
  EXPECT_THAT(send(job_for({"one@in.example"}, at("first"))), ElementsAre(Kind::delivered));
  server.on("MAIL", FakeBackend::kClose, 1);
  EXPECT_THAT(send(job_for({"two@in.example"}, at("first"))), ElementsAre(Kind::delivered));
  EXPECT_EQ(server.connections(), 2U);
  server.on("MAIL", FakeBackend::kClose, 2);
  EXPECT_THAT(send(job_for({"three@in.example"}, at("first"))), ElementsAre(Kind::retry));
}

TEST_F(RelayTest, AReplyTooManyIsNotTakenForTheOneToTheContent) {
  FakeBackend server;
  server.on("RCPT", "250 2.1.5 ok\r\n250 2.1.5 ok").on("content", "451 4.3.0 not stored");
  protect(server.endpoint());
  start();
  EXPECT_THAT(send(job_for({"one@in.example"}, at("first"))), ElementsAre(Kind::retry));
  EXPECT_EQ(server.count("BDAT"), 0U);
}

TEST(OneLine, OfAReplyWithoutEndIsBounded) {
  smtp::Reply reply(550, smtp::EnhancedStatus{5, 7, 1}, "No");
  EXPECT_EQ(one_line(reply), "550 5.7.1 No");
  reply.lines.assign(100, std::string(600, 'x'));
  EXPECT_EQ(one_line(reply).size(), 1000U);
}

TEST_F(RelayTest, AMailWhoseLastReplyIsLostIsTriedAgain) {
  FakeBackend server;
  server.on("content", FakeBackend::kClose, 1);
  protect(server.endpoint());
  start();
  EXPECT_THAT(send(job_for({"one@in.example"}, at("first"))), ElementsAre(Kind::retry));
  EXPECT_EQ(last_.outcomes.front().reply.enhanced, (smtp::EnhancedStatus{4, 4, 2}));
  EXPECT_EQ(server.connections(), 1U);  // the same mail is not sent twice in one attempt
  EXPECT_THAT(send(job_for({"one@in.example"}, at("first"))), ElementsAre(Kind::delivered));
}

TEST_F(RelayTest, ADeadBackendIsTriedAgainAndComesBack) {
  uint16_t port = 0;
  {
    const FakeBackend gone;
    port = gone.port();
  }
  protect(*net::Endpoint::parse("127.0.0.1:" + std::to_string(port)));
  start();
  EXPECT_THAT(send(job_for({"one@in.example"}, at("first"))), ElementsAre(Kind::retry));
  EXPECT_EQ(last_.health, Health::dead);
  FakeBackend back(FakeBackend::Options{}, port);
  EXPECT_THAT(send(job_for({"one@in.example"}, at("first"))), ElementsAre(Kind::delivered));
}

TEST_F(RelayTest, WhatABackendRefusesUsIsNeverABounce) {
  for (const char* where : {"greeting", "EHLO", "MAIL"}) {
    FakeBackend server;
    server.on(where, "554 5.7.1 you are not welcome here");
    protect(server.endpoint());
    start();
    auto made = job_for({"one@in.example"}, at("first"));
    auto trusted = std::make_shared<spool::Mail>(*made.mail);
    trusted->may_bounce = true;
    made.mail = trusted;
    EXPECT_THAT(send(made), ElementsAre(Kind::retry)) << where;
    EXPECT_EQ(last_.health, Health::dead) << where;
    EXPECT_TRUE(queue_.stored().empty()) << where;
    EXPECT_THAT(last_.outcomes.front().reply.lines.front(), HasSubstr("not welcome")) << where;
    end();
  }
}

TEST_F(RelayTest, AHangingDestinationDelaysNoOther) {
  FakeBackend hanging, live;
  hanging.on("MAIL", FakeBackend::kHang);
  options_.reply_timeout = 30s;
  protect(hanging.endpoint(), live.endpoint());
  start();
  for (int i = 0; i < 20; ++i) queue_.put(job_for({"one@in.example"}, at("first")));
  const SteadyTime before = std::chrono::steady_clock::now();
  EXPECT_THAT(send(job_for({"two@other.example"}, at("second"))), ElementsAre(Kind::delivered));
  EXPECT_LT(std::chrono::steady_clock::now() - before, 3s);
  // The one that was delivered has reported, and ends a moment later.
  for (int i = 0; i < 100 && relay_->running() != 20; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(relay_->running(), 20U);
  // Cancelled ones have no outcome at all: the queue has them as if they had not been tried.
  end();
  EXPECT_EQ(queue_.reported(), 1U);
}

TEST_F(RelayTest, AReplyIsWaitedForLongerThanAProxiedClientWould) {
  FakeBackend server;
  server.on("MAIL", FakeBackend::kSilent, 1);  // the backend's own time-out is one second
  options_.reply_timeout = 2s;
  protect(server.endpoint());
  start();
  const SteadyTime before = std::chrono::steady_clock::now();
  EXPECT_THAT(send(job_for({"one@in.example"}, at("first"))), ElementsAre(Kind::retry));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 1900ms);
  EXPECT_EQ(last_.health, Health::dead);
}

TEST_F(RelayTest, ADomainThatMovedIsFollowed) {
  FakeBackend first, second;
  protect(first.endpoint(), second.endpoint());
  start();
  const Destination old = at("first");
  protect(first.endpoint(), second.endpoint(), false, "second");
  EXPECT_THAT(send(job_for({"one@in.example"}, old)), ElementsAre(Kind::reroute));
  EXPECT_EQ(last_.outcomes.front().destination, at("second"));
  EXPECT_EQ(first.connections(), 0U);
  EXPECT_THAT(send(job_for({"one@in.example"}, to_mx("in.example"))), ElementsAre(Kind::reroute));
  EXPECT_EQ(last_.outcomes.front().destination, at("second"));
  // Not protected any more: the one it was accepted for.
  EXPECT_THAT(send(job_for({"one@former.example"}, at("first"))), ElementsAre(Kind::delivered));
  EXPECT_THAT(send(job_for({"one@former.example"}, {Destination::Kind::backend, "99999"})), ElementsAre(Kind::retry));
}

TEST_F(RelayTest, WhatTheNextHopCannotTakeFailsForThatRecipient) {
  FakeBackend::Options options;
  options.extensions = {"PIPELINING", "SIZE 100"};
  FakeBackend server(options);
  protect(server.endpoint());
  start();
  EXPECT_THAT(send(job_for({"one@in.example", "größe@in.example"}, at("first"))),
              ElementsAre(Kind::delivered, Kind::stranded));
  EXPECT_EQ(last_.outcomes.back().reply.enhanced, (smtp::EnhancedStatus{5, 6, 7}));
  auto strict = job_for({"one@in.example"}, at("first"));
  auto secret = std::make_shared<spool::Mail>(*strict.mail);
  secret->require_tls = true;
  strict.mail = secret;
  EXPECT_THAT(send(strict), ElementsAre(Kind::stranded));
  EXPECT_EQ(last_.outcomes.front().reply.enhanced, (smtp::EnhancedStatus{5, 7, 30}));
  auto large = job_for({"one@in.example"}, at("first"));
  large.content = bytes("Subject: x\r\n\r\n" + std::string(200, 'x') + "\r\n");
  EXPECT_THAT(send(large), ElementsAre(Kind::stranded));
  EXPECT_EQ(last_.outcomes.front().reply.enhanced, (smtp::EnhancedStatus{5, 3, 4}));
}

TEST_F(RelayTest, ALoopEnds) {
  FakeBackend server;
  protect(server.endpoint());
  start();
  std::string raw;
  for (int i = 0; i < 101; ++i) raw += "Received: from here\r\n";
  auto looping = job_for({"one@in.example"}, at("first"));
  looping.content = bytes(raw + "\r\nbody\r\n");
  EXPECT_THAT(send(looping), ElementsAre(Kind::stranded));
  EXPECT_EQ(last_.outcomes.front().reply.enhanced, (smtp::EnhancedStatus{5, 4, 6}));
  looping.content = bytes(raw.substr(21) + "\r\nReceived: in the body\r\n");
  EXPECT_THAT(send(looping), ElementsAre(Kind::delivered));
}

TEST_F(RelayTest, MoreAttemptsThanConnectionsWaitTheirTurn) {
  FakeBackend server;
  protect(server.endpoint());
  start();
  for (int i = 0; i < 60; ++i) queue_.put(job_for({"one@in.example"}, at("first")));
  for (const auto& each : queue_.reports(60)) EXPECT_THAT(kinds(each), ElementsAre(Kind::delivered));
  EXPECT_EQ(server.mails().size(), 60U);
}

TEST_F(RelayTest, TakesNothingAfterStop) {
  FakeBackend server;
  protect(server.endpoint());
  start();
  relay_->stop();
  queue_.put(job_for({"one@in.example"}, at("first")));
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(queue_.reported(), 0U);
  EXPECT_EQ(server.connections(), 0U);
}

}  // namespace
}  // namespace doorward::delivery
