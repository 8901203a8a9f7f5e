// Mail for domains that nobody here protects: by their MX records.
#include "delivery/relay_fixture.h"

namespace doorward::delivery {
namespace {

class RelayMx : public RelayTest {
 protected:
  RelayMx() { options_.mx.families = Families::v4_only; }
  // far.example's hosts, the better one first, all on the port of the options: 127.0.0.1 and 127.0.0.2 are two.
  void two_hosts() {
    names_.mx("far.example", 10, "mx1.far.example");
    names_.mx("far.example", 20, "mx2.far.example");
    names_.a("mx1.far.example", "127.0.0.2");
    names_.a("mx2.far.example", "127.0.0.1");
  }
  spool::Job outbound(std::initializer_list<std::string_view> addresses) {
    spool::Job made = job_for(addresses, to_mx("far.example"));
    auto copy = std::make_shared<spool::Mail>(*made.mail);
    copy->may_bounce = true;
    copy->direction = sheet::Direction::outbound;
    made.mail = copy;
    return made;
  }
};

TEST_F(RelayMx, GoesToTheNextHostWhereTheFirstIsAway) {
  FakeBackend server;  // at 127.0.0.1 only
  options_.mx.port = server.port();
  two_hosts();
  start();
  EXPECT_THAT(send(outbound({"one@far.example"})), ElementsAre(Kind::delivered));
  EXPECT_THAT(last_.outcomes.front().remote, HasSubstr("mx2.far.example 127.0.0.1:"));
  EXPECT_EQ(last_.health, Health::good);
  EXPECT_THAT(send(outbound({"two@far.example"})), ElementsAre(Kind::delivered));
  EXPECT_EQ(server.connections(), 1U);
}

TEST_F(RelayMx, WhoLooksForAHostHoldsUpNoStopAndSendsNothingAfterIt) {
  FakeBackend server;
  options_.mx.port = server.port();
  two_hosts();
  names_.delay("far.example", net::DnsType::mx, 500ms);
  start();
  queue_.put(outbound({"one@far.example"}));
  for (int i = 0; i < 200 && relay_->running() != 1; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(relay_->running(), 1U);
  relay_->stop();
  EXPECT_TRUE(relay_->is_idle());
  for (int i = 0; i < 300 && relay_->running() != 0; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(relay_->running(), 0U);
  EXPECT_EQ(server.connections(), 0U);
  EXPECT_EQ(queue_.reported(), 0U);  // the queue has it as if it had not been tried
}

TEST_F(RelayMx, WhatIsUnderWayIsWaitedForAtAStop) {
  FakeBackend server;
  server.on("MAIL", FakeBackend::kHang);
  options_.mx.port = server.port();
  options_.reply_timeout = 1s;
  two_hosts();
  start();
  queue_.put(outbound({"one@far.example"}));
  for (int i = 0; i < 500 && server.connections() != 1; ++i) std::this_thread::sleep_for(10ms);
  std::this_thread::sleep_for(100ms);
  relay_->stop();
  EXPECT_FALSE(relay_->is_idle());
  EXPECT_EQ(queue_.reports(1).size(), 1U);
}

TEST_F(RelayMx, ARefusalByAnMxHostIsFinalAndToldInItsWords) {
  FakeBackend server;
  server.on("MAIL", "550 5.7.1 we do not take your mail");
  options_.mx.port = server.port();
  names_.mx("far.example", 10, "mx1.far.example");
  names_.a("mx1.far.example", "127.0.0.1");
  start();
  EXPECT_THAT(send(outbound({"one@far.example"})), ElementsAre(Kind::failed));
  ASSERT_EQ(queue_.stored().size(), 1U);
  const std::string raw(queue_.stored().front().content->raw());
  EXPECT_THAT(raw, HasSubstr("we do not take your mail"));
  EXPECT_THAT(raw, HasSubstr("Remote-MTA: dns; mx1.far.example"));
}

TEST_F(RelayMx, AGreetingThatRefusesIsFinalOnlyWhenAllHostsSaySo) {
  FakeBackend server;
  server.on("greeting", "554 5.3.2 no service here");
  options_.mx.port = server.port();
  names_.mx("far.example", 10, "mx1.far.example");
  names_.a("mx1.far.example", "127.0.0.1");
  start();
  EXPECT_THAT(send(outbound({"one@far.example"})), ElementsAre(Kind::failed));
  names_.mx("far.example", 20, "mx2.far.example");
  names_.a("mx2.far.example", "127.0.0.2");  // nobody listens
  EXPECT_THAT(send(outbound({"one@far.example"})), ElementsAre(Kind::retry));
}

TEST_F(RelayMx, AFourHundredGreetingIsTriedAgain) {
  FakeBackend server;
  server.on("greeting", "450 4.3.2 not now", 1);
  options_.mx.port = server.port();
  names_.mx("far.example", 10, "mx1.far.example");
  names_.a("mx1.far.example", "127.0.0.1");
  start();
  EXPECT_THAT(send(outbound({"one@far.example"})), ElementsAre(Kind::retry));
  EXPECT_EQ(last_.health, Health::busy);
  EXPECT_THAT(last_.outcomes.front().reply.lines.front(), HasSubstr("not now"));
  EXPECT_THAT(send(outbound({"one@far.example"})), ElementsAre(Kind::delivered));
}

TEST_F(RelayMx, HeloWhereEhloIsUnknown) {
  FakeBackend server;
  server.on("EHLO", "502 5.5.1 what?");
  options_.mx.port = server.port();
  names_.mx("far.example", 10, "mx1.far.example");
  names_.a("mx1.far.example", "127.0.0.1");
  start();
  EXPECT_THAT(send(outbound({"one@far.example"})), ElementsAre(Kind::delivered));
  EXPECT_EQ(server.count("HELO"), 1U);
  EXPECT_FALSE(server.mails().front().bdat);
}

TEST_F(RelayMx, NoDomainNoHostAndNoAnswer) {
  names_.mx("null.example", 0, ".");
  start();
  EXPECT_THAT(send(outbound({"one@far.example"})), ElementsAre(Kind::failed));
  EXPECT_EQ(last_.outcomes.front().reply.enhanced, (smtp::EnhancedStatus{5, 1, 2}));
  auto refused = outbound({"one@null.example"});
  refused.destination = to_mx("null.example");
  EXPECT_THAT(send(refused), ElementsAre(Kind::failed));
  EXPECT_EQ(last_.outcomes.front().reply.enhanced, (smtp::EnhancedStatus{5, 1, 10}));
  names_.status("far.example", net::DnsType::mx, net::DnsStatus::servfail);
  EXPECT_THAT(send(outbound({"one@far.example"})), ElementsAre(Kind::retry));
  EXPECT_EQ(last_.health, Health::dead);
}

TEST_F(RelayMx, RequireTlsNeedsAHostThatIsKnownForSure) {
  FakeBackend server;
  options_.mx.port = server.port();
  names_.mx("far.example", 10, "mx1.far.example");
  names_.a("mx1.far.example", "127.0.0.1");
  start();
  auto secret = outbound({"one@far.example"});
  auto copy = std::make_shared<spool::Mail>(*secret.mail);
  copy->require_tls = true;
  secret.mail = copy;
  EXPECT_THAT(send(secret), ElementsAre(Kind::failed));
  EXPECT_EQ(last_.outcomes.front().reply.enhanced, (smtp::EnhancedStatus{5, 7, 30}));
  EXPECT_EQ(server.connections(), 0U);
}

}  // namespace
}  // namespace doorward::delivery
