// What goes wrong with a backend, what the sender is told of it, and what is mended unseen.
#include "delivery/proxy_fixture.h"

namespace doorward::delivery {
namespace {

// What goes wrong, and what the sender is told of it.
struct Trouble {
  const char* name;
  const char* at;  // the command that is answered wrongly
  const char* answer;
  bool at_rcpt;  // the sender hears of it at RCPT; else after the data
  int code;
  EnhancedStatus status;
};

class TroubleTest : public Proxy, public testing::WithParamInterface<Trouble> {};

TEST_P(TroubleTest, IsMapped) {
  const Trouble& trouble = GetParam();
  FakeBackend server;
  server.on(trouble.at, trouble.answer);
  const auto to = backend(server);
  const Outcome outcome = run_mail(to);
  const Reply& told = trouble.at_rcpt ? outcome.asked.at(0) : outcome.delivered.at(0);
  EXPECT_EQ(told.code, trouble.code);
  EXPECT_EQ(told.enhanced, trouble.status);
  if (!trouble.at_rcpt) EXPECT_EQ(outcome.asked.at(0).code, 250);
  EXPECT_TRUE(server.mails().empty());
  // And the next mail goes through as if nothing had been.
  server.on(trouble.at, std::string_view(trouble.at) == "greeting" ? "220 fake"
                        : std::string_view(trouble.at) == "EHLO"   ? "250 fake"
                                                                   : "250 2.0.0 ok");
  if (std::string_view(trouble.at) != "BDAT") EXPECT_EQ(run_mail(to).last(), 250);
}

INSTANTIATE_TEST_SUITE_P(
    Stages, TroubleTest,
    testing::Values(Trouble{"greeting_554", "greeting", "554 5.7.1 no", true, 451, {4, 3, 5}},
                    Trouble{"greeting_421", "greeting", "421 4.3.2 busy", true, 451, {4, 3, 2}},
                    Trouble{"greeting_closes", "greeting", FakeBackend::kClose, true, 451, {4, 4, 1}},
                    Trouble{"greeting_hangs", "greeting", FakeBackend::kHang, true, 451, {4, 4, 1}},
                    Trouble{"greeting_nonsense", "greeting", "SSH-2.0-OpenSSH_9.2", true, 451, {4, 3, 0}},
                    Trouble{"hello_550", "EHLO", "550 5.7.1 who are you", true, 451, {4, 3, 5}},
                    Trouble{"hello_closes", "EHLO", FakeBackend::kClose, true, 451, {4, 4, 1}},
                    Trouble{"hello_hangs", "EHLO", FakeBackend::kHang, true, 451, {4, 4, 1}},
                    Trouble{"mail_550", "MAIL", "550 5.7.1 not you", true, 451, {4, 3, 5}},
                    Trouble{"mail_452", "MAIL", "452 4.3.1 disk full", true, 452, {4, 3, 1}},
                    Trouble{"mail_354", "MAIL", "354 go on", true, 451, {4, 3, 0}},
                    Trouble{"mail_closes", "MAIL", FakeBackend::kClose, true, 451, {4, 4, 2}},
                    Trouble{"mail_hangs", "MAIL", FakeBackend::kHang, true, 451, {4, 4, 2}},
                    Trouble{"mail_421", "MAIL", "421 4.3.2 bye", true, 451, {4, 3, 2}},
                    Trouble{"rcpt_550", "RCPT", "550 5.1.1 none", true, 550, {5, 1, 1}},
                    Trouble{"rcpt_relay", "RCPT", "554 5.7.1 Relay access denied", true, 451, {4, 3, 5}},
                    Trouble{"rcpt_450", "RCPT", "450 4.2.1 later", true, 450, {4, 2, 1}},
                    Trouble{"rcpt_421", "RCPT", "421 4.3.2 bye", true, 451, {4, 3, 2}},
                    Trouble{"rcpt_nonsense", "RCPT", "*** boom ***", true, 451, {4, 3, 0}},
                    Trouble{"rcpt_closes", "RCPT", FakeBackend::kClose, true, 451, {4, 4, 2}},
                    Trouble{"rcpt_hangs", "RCPT", FakeBackend::kHang, true, 451, {4, 4, 2}},
                    Trouble{"content_550", "content", "550 5.7.1 spam", false, 550, {5, 7, 1}},
                    Trouble{"content_552", "content", "552 too much", false, 552, {5, 3, 4}},
                    Trouble{"content_451", "content", "451 4.3.0 oops", false, 451, {4, 3, 0}},
                    Trouble{"content_421", "content", "421 4.3.2 bye", false, 451, {4, 3, 2}},
                    Trouble{"content_354", "content", "354 what", false, 451, {4, 3, 0}},
                    Trouble{"content_nonsense", "content", "yes", false, 451, {4, 3, 0}},
                    Trouble{"content_closes", "content", FakeBackend::kClose, false, 451, {4, 4, 2}},
                    Trouble{"content_hangs", "content", FakeBackend::kHang, false, 451, {4, 4, 2}},
                    Trouble{"bdat_503", "BDAT", "503 5.5.1 no", false, 451, {4, 3, 0}}),
    [](const auto& each) { return each.param.name; });

TEST_F(Proxy, ADataCommandThatIsRefusedIsMappedAndReset) {
  FakeBackend server({.extensions = {"PIPELINING"}});
  server.on("DATA", "554 5.7.1 not that", 1);
  const auto to = backend(server);
  const Outcome outcome = run_mail(to);
  EXPECT_EQ(outcome.last(), 550);
  EXPECT_EQ(run_mail(to).last(), 250);
  EXPECT_EQ(server.connections(), 1U);
  EXPECT_EQ(server.count("RSET"), 1U);
}

TEST_F(Proxy, ADeadIdleConnectionIsReplacedUnseen) {
  FakeBackend server;
  const auto to = backend(server);
  EXPECT_EQ(run_mail(to).last(), 250);
  server.hang_up();
  EXPECT_EQ(run_mail(to).last(), 250);
  EXPECT_EQ(server.connections(), 2U);
  EXPECT_EQ(server.mails().size(), 2U);
}

TEST_F(Proxy, AnIdleConnectionThatDiesUnderTheFirstCommandIsReplacedOnce) {
  FakeBackend server;
  const auto to = backend(server);
  EXPECT_EQ(run_mail(to).last(), 250);
  server.on("MAIL", FakeBackend::kClose, 1);
  EXPECT_EQ(run_mail(to).last(), 250);
  EXPECT_EQ(server.connections(), 2U);
  // A 421 is a death too.
  server.on("MAIL", "421 4.4.2 too long idle", 1);
  EXPECT_EQ(run_mail(to).last(), 250);
  EXPECT_EQ(server.connections(), 3U);
  // Twice in a row is no accident.
  server.on("MAIL", FakeBackend::kClose, 2);
  EXPECT_EQ(run_mail(to).asked.at(0).code, 451);
}

TEST_F(Proxy, AConnectionThatDiesBetweenTwoRecipientsIsReplacedWithBoth) {
  FakeBackend server;
  server.on("RCPT TO:<two@", FakeBackend::kClose, 1);
  const Outcome outcome = run_mail(backend(server), recipients({"one@in.example", "two@in.example"}));
  EXPECT_EQ(outcome.asked.at(1).code, 250);
  EXPECT_EQ(outcome.last(), 250);
  ASSERT_EQ(server.mails().size(), 1U);
  EXPECT_EQ(server.mails()[0].recipients.size(), 2U);
}

TEST_F(Proxy, AConnectionThatDiesWhileTheVerdictIsMadeIsReplaced) {
  for (const bool with_bdat : {true, false}) {
    FakeBackend server;
    options_.use_bdat = with_bdat;
    pool_.reset();
    runner_.run([&]() -> Task<void> {
      ProxyTransaction transaction(pool(), backend(server));
      EXPECT_EQ((co_await transaction.ask(client_, envelope_, recipient("one@in.example"))).code, 250);
      server.hang_up();
      co_await runner_.core().sleep(50ms);
      const auto replies = co_await transaction.deliver(client_, envelope_, recipients({"one@in.example"}), {kMessage});
      EXPECT_EQ(replies.at(0).code, 250);
    });
    EXPECT_EQ(server.mails().size(), 1U);
  }
}

TEST_F(Proxy, DeathAtTheDataCommandIsReplacedDeathAfterTheContentIsNot) {
  options_.use_bdat = false;
  FakeBackend server;
  server.on("DATA", FakeBackend::kClose, 1);
  const auto to = backend(server);
  EXPECT_EQ(run_mail(to).last(), 250);
  EXPECT_EQ(server.mails().size(), 1U);
  server.on("content", FakeBackend::kClose, 1);
  EXPECT_EQ(run_mail(to).last(), 451);
  EXPECT_EQ(server.count("MAIL"), 3U);  // not offered a second time: the backend may have it
}

TEST_F(Proxy, ARecipientLostBetweenAskingAndHandingOverPutsAllOff) {
  FakeBackend server;
  runner_.run([&]() -> Task<void> {
    ProxyTransaction transaction(pool(), backend(server));
    for (const char* each : {"a@in.example", "b@in.example", "c@in.example"})
      (void)co_await transaction.ask(client_, envelope_, recipient(each));
    server.on("RCPT TO:<b@", "550 5.1.1 gone");
    const auto replies =
        co_await transaction.deliver(client_, envelope_, recipients({"a@in.example", "b@in.example"}), {kMessage});
    EXPECT_EQ(replies.size(), 2U);
    EXPECT_EQ(replies.at(0).code, 451);
    EXPECT_EQ(replies.at(1).code, 451);
  });
  EXPECT_TRUE(server.mails().empty());
}

// A backend's silence costs no more than the client can wait, and what was not begun by then is not begun.
TEST_F(Proxy, DeliveryEndsInTime) {
  model_.timeout = 30s;
  for (const bool with_bdat : {true, false}) {
    FakeBackend server;
    server.on("content", FakeBackend::kSilent);
    options_.use_bdat = with_bdat;
    pool_.reset();
    runner_.run([&]() -> Task<void> {
      ProxyTransaction transaction(pool(), backend(server));
      for (const char* each : {"a@in.example", "b@in.example"})
        (void)co_await transaction.ask(client_, envelope_, recipient(each));
      const auto began = std::chrono::steady_clock::now();
      const auto until = began + 400ms;
      auto replies = co_await transaction.deliver(client_, envelope_, recipients({"a@in.example"}), {kMessage}, until);
      EXPECT_EQ(replies.at(0).enhanced, (EnhancedStatus{4, 4, 2}));
      EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
      replies = co_await transaction.deliver(client_, envelope_, recipients({"b@in.example"}), {kMessage}, until);
      EXPECT_EQ(replies.at(0).code, 451);
      EXPECT_EQ(replies.at(0).enhanced, (EnhancedStatus{4, 4, 5}));
    });
    EXPECT_EQ(server.count("RCPT TO:<b@"), 1U);
  }
}

TEST_F(Proxy, AReplyTooManyIsNotTakenForTheOneToTheContent) {
  FakeBackend server;
  server.on("RCPT", "250 2.1.5 ok\r\n250 2.1.5 ok").on("content", "451 4.3.0 not stored");
  EXPECT_EQ(run_mail(backend(server)).last(), 451);
  EXPECT_EQ(server.count("BDAT"), 0U);
}

TEST_F(Proxy, ARecipientIsAnsweredInTimeWhateverTheBackendDoes) {
  model_.timeout = 30s;
  options_.ask_within = 400ms;
  for (const char* at : {"greeting", "EHLO", "MAIL", "RCPT"}) {
    FakeBackend server;
    server.on(at, FakeBackend::kHang);
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(run_mail(backend(server)).asked.at(0).code, 451) << at;
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s) << at;
  }
}

// Each of the backend's steps may take long, as long as the client does not wait: the deadline is of the one mail.
TEST_F(Proxy, TheNextMailHasItsOwnTime) {
  FakeBackend server;
  options_.ask_within = 500ms;
  const auto to = backend(server);
  EXPECT_EQ(run_mail(to).last(), 250);
  runner_.run([&]() -> Task<void> { co_await runner_.core().sleep(600ms); });
  EXPECT_EQ(run_mail(to).last(), 250);
  EXPECT_EQ(server.connections(), 1U);
}

}  // namespace
}  // namespace doorward::delivery
