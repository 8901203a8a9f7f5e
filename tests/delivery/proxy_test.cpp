// What goes to the backend when all is well.
#include "delivery/proxy_fixture.h"

namespace doorward::delivery {
namespace {

TEST_F(Proxy, HandsAMailOverInTwoWrites) {
  FakeBackend server;
  const Outcome outcome = run_mail(backend(server));
  EXPECT_EQ(outcome.asked.at(0).code, 250);
  EXPECT_EQ(outcome.last(), 250);
  EXPECT_EQ(outcome.delivered.at(0).lines.at(0).find("stored"), std::string::npos);
  ASSERT_EQ(server.mails().size(), 1U);
  EXPECT_EQ(server.mails()[0].content, kMessage);
  EXPECT_TRUE(server.mails()[0].bdat);
  const auto reads = server.reads();
  ASSERT_GE(reads.size(), 3U);
  EXPECT_EQ(reads[0], "EHLO gate.example\r\n");
  EXPECT_EQ(reads[1], "MAIL FROM:<sender@out.example>\r\nRCPT TO:<one@in.example>\r\n");
  EXPECT_TRUE(reads[2].starts_with("BDAT "));
}

TEST_F(Proxy, UsesDataWhereBdatIsNotOffered) {
  FakeBackend server({.extensions = {"PIPELINING"}});
  EXPECT_EQ(run_mail(backend(server)).last(), 250);
  ASSERT_EQ(server.mails().size(), 1U);
  EXPECT_EQ(server.mails()[0].content, kMessage);
  EXPECT_FALSE(server.mails()[0].bdat);
}

TEST_F(Proxy, WorksWithAServerThatKnowsNoExtension) {
  FakeBackend server;
  server.on("EHLO", "500 what?");
  EXPECT_EQ(run_mail(backend(server), recipients({"one@in.example", "two@in.example"})).last(), 250);
  ASSERT_EQ(server.mails().size(), 1U);
  EXPECT_EQ(server.mails()[0].recipients.size(), 2U);
}

TEST_F(Proxy, ReusesTheConnectionWithoutRset) {
  FakeBackend server;
  const auto to = backend(server);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(run_mail(to).last(), 250);
  EXPECT_EQ(server.connections(), 1U);
  EXPECT_EQ(server.count("EHLO"), 1U);
  EXPECT_EQ(server.count("RSET"), 0U);
  EXPECT_EQ(server.mails().size(), 5U);
}

TEST_F(Proxy, AnAbandonedTransactionIsResetWithTheNextMail) {
  FakeBackend server;
  const auto to = backend(server);
  runner_.run([&]() -> Task<void> {
    ProxyTransaction transaction(pool(), to);
    EXPECT_EQ((co_await transaction.ask(client_, envelope_, recipient("spam@in.example"))).code, 250);
    co_await transaction.abandon();
  });
  EXPECT_EQ(run_mail(to).last(), 250);
  EXPECT_EQ(server.connections(), 1U);
  EXPECT_EQ(server.reads().at(2), "RSET\r\nMAIL FROM:<sender@out.example>\r\nRCPT TO:<one@in.example>\r\n");
  ASSERT_EQ(server.mails().size(), 1U);
  EXPECT_THAT(server.mails()[0].recipients, ElementsAre("RCPT TO:<one@in.example>"));
}

TEST_F(Proxy, AnAbandonedTransactionIsResetSoonEvenWithoutANextMail) {
  FakeBackend server;
  runner_.run([&]() -> Task<void> {
    {
      ProxyTransaction transaction(pool(), backend(server));
      (void)co_await transaction.ask(client_, envelope_, recipient("spam@in.example"));
    }
    EXPECT_EQ(pool().idle(), 1U);
    co_await runner_.core().sleep(2500ms);
    EXPECT_EQ(pool().idle(), 1U);
  });
  EXPECT_EQ(server.count("RSET"), 1U);
}

TEST_F(Proxy, OnlyTheAcceptedRecipientsAreGivenAgain) {
  FakeBackend server;
  runner_.run([&]() -> Task<void> {
    ProxyTransaction transaction(pool(), backend(server));
    for (const char* each : {"a@in.example", "b@in.example", "c@in.example"})
      EXPECT_EQ((co_await transaction.ask(client_, envelope_, recipient(each))).code, 250);
    const auto replies =
        co_await transaction.deliver(client_, envelope_, recipients({"a@in.example", "c@in.example"}), {kMessage});
    EXPECT_EQ(replies.size(), 2U);
    EXPECT_EQ(replies.at(1).code, 250);
  });
  ASSERT_EQ(server.mails().size(), 1U);
  EXPECT_THAT(server.mails()[0].recipients, ElementsAre("RCPT TO:<a@in.example>", "RCPT TO:<c@in.example>"));
  const auto reads = server.reads();
  EXPECT_TRUE(std::ranges::any_of(reads, [](const std::string& read) {
    return read == "RSET\r\nMAIL FROM:<sender@out.example>\r\nRCPT TO:<a@in.example>\r\nRCPT TO:<c@in.example>\r\n";
  }));
}

TEST_F(Proxy, ARewrittenAddressIsGivenAgain) {
  FakeBackend server;
  runner_.run([&]() -> Task<void> {
    ProxyTransaction transaction(pool(), backend(server));
    (void)co_await transaction.ask(client_, envelope_, recipient("a@in.example"));
    const auto replies = co_await transaction.deliver(client_, envelope_, recipients({"b@in.example"}), {kMessage});
    EXPECT_EQ(replies.at(0).code, 250);
  });
  ASSERT_EQ(server.mails().size(), 1U);
  EXPECT_THAT(server.mails()[0].recipients, ElementsAre("RCPT TO:<b@in.example>"));
}

TEST_F(Proxy, ARefusedRecipientDoesNotTouchTheOthers) {
  FakeBackend server;
  server.on("RCPT TO:<gone@", "550 5.1.1 secret words of the backend");
  const Outcome outcome = run_mail(backend(server), recipients({"gone@in.example", "one@in.example"}));
  EXPECT_EQ(outcome.asked.at(0).code, 550);
  EXPECT_EQ(outcome.asked.at(0).enhanced, (EnhancedStatus{5, 1, 1}));
  EXPECT_EQ(outcome.asked.at(0).lines.at(0).find("secret"), std::string::npos);
  EXPECT_EQ(outcome.asked.at(1).code, 250);
  EXPECT_EQ(outcome.last(), 250);
  EXPECT_EQ(server.count("RSET"), 0U);
  EXPECT_THAT(server.mails().at(0).recipients, ElementsAre("RCPT TO:<one@in.example>"));
}

TEST_F(Proxy, FiftyRecipientsInFiveGroups) {
  FakeBackend server;
  std::vector<mail::Recipient> all;
  for (int i = 0; i < 50; ++i) all.push_back(recipient("user" + std::to_string(i) + "@in.example"));
  // As the gateway has it for a client that comes again with those that were put off.
  for (size_t group = 0; group < 5; ++group) {
    const std::vector<mail::Recipient> part(all.begin() + static_cast<long>(group) * 10,
                                            all.begin() + static_cast<long>(group + 1) * 10);
    EXPECT_EQ(run_mail(backend(server), part).last(), 250);
  }
  EXPECT_EQ(run_mail(backend(server), all).delivered.size(), 50U);
  ASSERT_EQ(server.mails().size(), 6U);
  EXPECT_EQ(server.mails()[5].recipients.size(), 50U);
}

TEST_F(Proxy, LmtpRepliesForEachRecipient) {
  FakeBackend server({.lmtp = true});
  server.on("content", "250 2.0.0 ok").on("content", "552 5.2.2 quota of bob", 1);
  model_.protocol = policy::BackendProtocol::lmtp;
  const Outcome outcome = run_mail(backend(server), recipients({"full@in.example", "one@in.example"}));
  ASSERT_EQ(outcome.delivered.size(), 2U);
  EXPECT_EQ(outcome.delivered[0].code, 552);
  EXPECT_EQ(outcome.delivered[0].enhanced, (EnhancedStatus{5, 2, 2}));
  EXPECT_EQ(outcome.delivered[1].code, 250);
}

TEST_F(Proxy, LmtpThatDiesAfterSomeRepliesPutsTheOthersOff) {
  FakeBackend server({.lmtp = true});
  server.on("content", FakeBackend::kClose).on("content", "250 2.0.0 ok", 1);
  model_.protocol = policy::BackendProtocol::lmtp;
  const Outcome outcome = run_mail(backend(server), recipients({"one@in.example", "two@in.example"}));
  ASSERT_EQ(outcome.delivered.size(), 2U);
  EXPECT_EQ(outcome.delivered[0].code, 250);
  EXPECT_EQ(outcome.delivered[1].code, 451);
}

TEST_F(Proxy, TooLargeForTheBackend) {
  FakeBackend server({.extensions = {"PIPELINING", "SIZE 10"}});
  const auto to = backend(server);
  EXPECT_EQ(run_mail(to).status(), (EnhancedStatus{5, 3, 4}));
  envelope_.declared_size = 5000;
  EXPECT_EQ(run_mail(to).asked.at(0).enhanced, (EnhancedStatus{5, 3, 4}));
  EXPECT_TRUE(server.mails().empty());
}

TEST_F(Proxy, SmtpUtf8AndRequireTlsNeedABackendThatHasThem) {
  FakeBackend server({.extensions = {"PIPELINING"}});
  const auto to = backend(server);
  envelope_.smtputf8 = true;
  EXPECT_EQ(run_mail(to).asked.at(0).enhanced, (EnhancedStatus{5, 6, 7}));
  envelope_.smtputf8 = false;
  envelope_.require_tls = true;
  EXPECT_EQ(run_mail(to).asked.at(0).enhanced, (EnhancedStatus{5, 7, 30}));
  envelope_.require_tls = false;
  EXPECT_EQ(run_mail(to).last(), 250);
}

TEST_F(Proxy, SaysWhetherTheBackendRelaysDsn) {
  FakeBackend with;
  FakeBackend without({.extensions = {"PIPELINING"}});
  runner_.run([&]() -> Task<void> {
    ProxyTransaction first(pool(), backend(with));
    (void)co_await first.ask(client_, envelope_, recipient("one@in.example"));
    EXPECT_TRUE(first.relays_dsn());
    EXPECT_FALSE(first.is_lmtp());
    ProxyTransaction second(pool(), backend(without));
    (void)co_await second.ask(client_, envelope_, recipient("one@in.example"));
    EXPECT_FALSE(second.relays_dsn());
  });
}

}  // namespace
}  // namespace doorward::delivery
