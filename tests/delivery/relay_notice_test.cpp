#include "delivery/relay_notice.h"

#include "delivery/relay_fixture.h"

namespace doorward::delivery {
namespace {

using testing::Not;

// Mails whose sender may be told, unless a test says otherwise.
class RelayNotice : public RelayTest {
 protected:
  spool::Job trusted(std::initializer_list<std::string_view> addresses, Destination to) {
    spool::Job made = job_for(addresses, std::move(to));
    edit(made, [](spool::Mail& mail) { mail.may_bounce = true; });
    return made;
  }
  template <class Change>
  static void edit(spool::Job& job, Change change) {
    auto copy = std::make_shared<spool::Mail>(*job.mail);
    change(*copy);
    job.mail = copy;
  }
};

TEST_F(RelayNotice, OneNoticeForAllThatFailedStoredBeforeTheFailure) {
  FakeBackend server;
  server.on("RCPT TO:<gone", "550 5.1.1 secret.internal says no").on("RCPT TO:<full", "552 5.2.2 full");
  protect(server.endpoint());
  start();
  EXPECT_THAT(send(trusted({"gone@in.example", "one@in.example", "full@in.example"}, at("first"))),
              ElementsAre(Kind::failed, Kind::delivered, Kind::failed));
  EXPECT_THAT(queue_.events(), ElementsAre("commit", "report"));
  ASSERT_EQ(queue_.stored().size(), 1U);
  const auto [notice, content] = queue_.stored().front();
  EXPECT_TRUE(notice->from.null);
  EXPECT_FALSE(notice->may_bounce);
  ASSERT_EQ(notice->recipients.size(), 1U);
  EXPECT_EQ(notice->recipients.front().to.mailbox.text(), "sender@out.example");
  EXPECT_TRUE(notice->recipients.front().to.notify.never);
  EXPECT_EQ(notice->recipients.front().destination, to_mx("out.example"));
  EXPECT_EQ(notice->direction, sheet::Direction::outbound);
  const std::string raw(content->raw());
  EXPECT_EQ(notice->size, raw.size());
  EXPECT_THAT(raw, HasSubstr("multipart/report"));
  EXPECT_THAT(raw, HasSubstr("Final-Recipient: rfc822; gone@in.example"));
  EXPECT_THAT(raw, HasSubstr("Final-Recipient: rfc822; full@in.example"));
  EXPECT_THAT(raw, Not(HasSubstr("; one@in.example")));
  EXPECT_THAT(raw, Not(HasSubstr("secret.internal")));  // a backend's words stay within the house …
  EXPECT_THAT(raw, HasSubstr("Subject: hello"));        // … and the mail's own header comes back
  EXPECT_EQ(last_.outcomes.front().reply.lines.front(), "secret.internal says no");  // for the queue's list
}

// RFC 8689 §5: the notice may go where there is no TLS.
TEST_F(RelayNotice, AMailThatRequiresTlsComesBackWithoutItsBody) {
  FakeBackend server;
  protect(server.endpoint());
  start();
  for (const bool require_tls : {false, true}) {
    server.on("RCPT", "550 5.1.1 no");
    auto made = trusted({"gone@in.example"}, at("first"));
    edit(made, [&](spool::Mail& mail) {
      mail.ret = mail::DsnReturn::full;
      mail.require_tls = require_tls;
    });
    EXPECT_THAT(send(made), ElementsAre(Kind::failed));
    const std::string raw(queue_.stored().back().content->raw());
    EXPECT_EQ(raw.contains("dotted"), !require_tls);
    EXPECT_THAT(raw, HasSubstr("Subject: hello"));
  }
}

TEST_F(RelayNotice, AnAttemptThatIsCutShortTellsOfNoDelay) {
  FakeBackend server, other;
  server.on("greeting", FakeBackend::kHang);
  protect(server.endpoint(), other.endpoint());
  start();
  auto made = trusted({"one@in.example", "moved@other.example"}, at("first"));
  edit(made, [](spool::Mail& mail) { mail.received_at -= 5h; });
  queue_.put(made);
  for (int i = 0; i < 400 && server.standing() == 0; ++i) std::this_thread::sleep_for(5ms);
  end();
  const auto reports = queue_.reports(1);
  ASSERT_EQ(reports.front().outcomes.size(), 1U);
  EXPECT_EQ(reports.front().outcomes.front().kind, Kind::reroute);
  EXPECT_TRUE(queue_.stored().empty());
}

TEST_F(RelayNotice, AProtectedSenderIsToldAtItsOwnBackend) {
  FakeBackend server, other;
  server.on("RCPT", "550 5.1.1 no");
  protect(server.endpoint(), other.endpoint());
  start();
  auto made = trusted({"gone@in.example"}, at("first"));
  edit(made, [](spool::Mail& mail) { mail.from.mailbox = *mail::parse_mailbox("boss@other.example"); });
  EXPECT_THAT(send(made), ElementsAre(Kind::failed));
  ASSERT_EQ(queue_.stored().size(), 1U);
  EXPECT_EQ(queue_.stored().front().mail->recipients.front().destination, at("second"));
  EXPECT_EQ(queue_.stored().front().mail->direction, sheet::Direction::inbound);
}

TEST_F(RelayNotice, WithoutARightToTellTheMailIsStranded) {
  FakeBackend server;
  server.on("RCPT", "550 5.1.1 no");
  protect(server.endpoint());
  start();
  EXPECT_THAT(send(job_for({"gone@in.example"}, at("first"))), ElementsAre(Kind::stranded));
  auto bounce = trusted({"gone@in.example"}, at("first"));
  edit(bounce, [](spool::Mail& mail) { mail.from = {}; });
  EXPECT_THAT(send(bounce), ElementsAre(Kind::stranded));
  auto robot = trusted({"gone@in.example"}, at("first"));
  robot.content = bytes("Auto-Submitted: auto-replied\r\nSubject: I am away\r\n\r\nx\r\n");
  EXPECT_THAT(send(robot), ElementsAre(Kind::stranded));
  EXPECT_TRUE(queue_.stored().empty());
}

TEST_F(RelayNotice, OutgoingMailThatNobodyWaitsForEndsWhereItIsRefused) {
  FakeBackend server;
  server.on("RCPT", "550 5.1.1 no");
  protect(server.endpoint());
  start();
  auto bounce = trusted({"gone@in.example"}, at("first"));
  edit(bounce, [](spool::Mail& mail) {
    mail.from = {};
    mail.direction = sheet::Direction::outbound;
  });
  EXPECT_THAT(send(bounce), ElementsAre(Kind::failed));
  auto robot = trusted({"gone@in.example"}, at("first"));
  robot.content = bytes("Auto-Submitted: auto-replied\r\nSubject: I am away\r\n\r\nx\r\n");
  edit(robot, [](spool::Mail& mail) { mail.direction = sheet::Direction::outbound; });
  EXPECT_THAT(send(robot), ElementsAre(Kind::failed));
  EXPECT_TRUE(queue_.stored().empty());
}

TEST_F(RelayNotice, WhoWantsNoNoticeGetsNone) {
  FakeBackend server;
  server.on("RCPT", "550 5.1.1 no");
  protect(server.endpoint());
  start();
  auto made = trusted({"gone@in.example"}, at("first"));
  edit(made, [](spool::Mail& mail) { mail.recipients.front().to.notify = {.given = true, .never = true}; });
  EXPECT_THAT(send(made), ElementsAre(Kind::failed));
  EXPECT_TRUE(queue_.stored().empty());
}

TEST_F(RelayNotice, WhatCannotBeToldHasNotFailedYet) {
  FakeBackend server;
  server.on("RCPT", "550 5.1.1 no");
  protect(server.endpoint());
  start();
  queue_.break_commit();
  EXPECT_THAT(send(trusted({"gone@in.example"}, at("first"))), ElementsAre(Kind::retry));
  queue_.break_commit(false);
  EXPECT_THAT(send(trusted({"gone@in.example"}, at("first"))), ElementsAre(Kind::failed));
}

TEST_F(RelayNotice, TheEndOfTimeIsToldWithoutAnAttempt) {
  FakeBackend server;
  protect(server.endpoint());
  start();
  auto late = trusted({"one@in.example"}, at("first"));
  late.expired = true;
  EXPECT_THAT(send(late), ElementsAre(Kind::failed));
  ASSERT_EQ(queue_.stored().size(), 1U);
  EXPECT_THAT(std::string(queue_.stored().front().content->raw()), HasSubstr("Status: 5.4.7"));
  late = job_for({"one@in.example"}, at("first"));
  late.expired = true;
  EXPECT_THAT(send(late), ElementsAre(Kind::stranded));
  // By an administrator's hand it goes back whoever sent it, but never to nobody.
  late.expired = false;
  late.bounce = true;
  EXPECT_THAT(send(late), ElementsAre(Kind::failed));
  EXPECT_EQ(queue_.stored().size(), 2U);
  edit(late, [](spool::Mail& mail) { mail.from = {}; });
  EXPECT_THAT(send(late), ElementsAre(Kind::stranded));
  EXPECT_EQ(server.connections(), 0U);
}

TEST_F(RelayNotice, ADelayIsToldOnce) {
  FakeBackend server;
  server.on("RCPT", "450 4.2.0 later");
  protect(server.endpoint());
  start();
  auto late = trusted({"one@in.example"}, at("first"));
  EXPECT_THAT(send(late), ElementsAre(Kind::retry));
  EXPECT_TRUE(queue_.stored().empty());
  edit(late, [](spool::Mail& mail) { mail.received_at -= 5h; });
  EXPECT_THAT(send(late), ElementsAre(Kind::retry));
  EXPECT_TRUE(last_.warned);
  ASSERT_EQ(queue_.stored().size(), 1U);
  EXPECT_THAT(std::string(queue_.stored().front().content->raw()), HasSubstr("Action: delayed"));
  EXPECT_THAT(std::string(queue_.stored().front().content->raw()), HasSubstr("Will-Retry-Until:"));
  late.warned = true;
  EXPECT_THAT(send(late), ElementsAre(Kind::retry));
  EXPECT_FALSE(last_.warned);
  late.warned = false;
  late.warn_only = true;  // nobody is asked
  const size_t asked = server.count("RCPT");
  EXPECT_THAT(send(late), ElementsAre(Kind::retry));
  EXPECT_TRUE(last_.warned);
  EXPECT_EQ(queue_.stored().size(), 2U);
  EXPECT_EQ(server.count("RCPT"), asked);
  edit(late, [](spool::Mail& mail) { mail.may_bounce = false; });
  EXPECT_THAT(send(late), ElementsAre(Kind::retry));
  EXPECT_FALSE(last_.warned);
  EXPECT_EQ(queue_.stored().size(), 2U);
}

TEST_F(RelayNotice, SuccessIsToldByUsWhereTheNextHopCannot) {
  FakeBackend::Options plain;
  plain.extensions = {"PIPELINING"};
  FakeBackend without(plain), with;
  protect(without.endpoint(), with.endpoint());
  start();
  const auto wanting = [this](std::string_view address, Destination to) {
    auto made = trusted({address}, std::move(to));
    edit(made, [](spool::Mail& mail) {
      mail.recipients.front().to.notify = {.given = true, .success = true};
      mail.envid = "QQ314159";
    });
    return made;
  };
  EXPECT_THAT(send(wanting("one@other.example", at("second"))), ElementsAre(Kind::delivered));
  EXPECT_TRUE(queue_.stored().empty());
  EXPECT_THAT(with.mails().front().recipients.front(), HasSubstr("NOTIFY=SUCCESS"));
  EXPECT_THAT(send(wanting("one@in.example", at("first"))), ElementsAre(Kind::delivered));
  ASSERT_EQ(queue_.stored().size(), 1U);
  const std::string raw(queue_.stored().front().content->raw());
  EXPECT_THAT(raw, HasSubstr("Action: relayed"));
  EXPECT_THAT(raw, HasSubstr("Original-Envelope-Id: QQ314159"));
}

}  // namespace
}  // namespace doorward::delivery
