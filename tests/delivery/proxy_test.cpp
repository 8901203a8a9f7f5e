#include "delivery/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "delivery/core_runner.h"
#include "delivery/fake_backend.h"
#include "delivery/pool.h"
#include "delivery/shares.h"

namespace doorward::delivery {
namespace {

using policy::Backend;
using policy::BackendTls;
using smtp::EnhancedStatus;
using smtp::Reply;
using test::CoreRunner;
using test::FakeBackend;
using testing::ElementsAre;
using namespace std::chrono_literals;

constexpr std::string_view kMessage = "Subject: hello\r\n\r\n.dotted\r\nend\r\n";

mail::Recipient recipient(std::string_view address) { return {mail::parse_mailbox(address).value(), {}, {}}; }

std::vector<mail::Recipient> recipients(std::initializer_list<std::string_view> addresses) {
  std::vector<mail::Recipient> all;
  for (const std::string_view each : addresses) all.push_back(recipient(each));
  return all;
}

class Proxy : public testing::Test {
 protected:
  Proxy() {
    model_.id = 1;
    model_.name = "fake";
    model_.tls = BackendTls::off;
    model_.timeout = 1s;
    options_.helo_name = "gate.example";
    options_.connect_timeout = 1s;
    options_.slot_wait = 300ms;
    envelope_.id = "01JDTESTTESTTESTTESTTESTTE";
    envelope_.from.null = false;
    envelope_.from.mailbox = mail::parse_mailbox("sender@out.example").value();
  }
  ~Proxy() override {
    runner_.run([this]() -> Task<void> {
      pool_.reset();
      co_return;
    });
  }

  std::shared_ptr<const Backend> backend(std::vector<net::Endpoint> addresses) {
    auto made = std::make_shared<Backend>(model_);
    made->addresses = std::move(addresses);
    return made;
  }
  std::shared_ptr<const Backend> backend(const FakeBackend& server) { return backend({server.endpoint()}); }

  BackendPool& pool() {
    if (pool_ == nullptr) pool_ = make_pool(runner_.core(), options_);
    return *pool_;
  }

  // One whole mail to all of `to`, as a client's transaction has it. Replies at RCPT, then the last ones.
  struct Outcome {
    std::vector<Reply> asked, delivered;
    int last() const { return delivered.empty() ? 0 : delivered.front().code; }
    EnhancedStatus status() const { return delivered.empty() ? EnhancedStatus{} : delivered.front().enhanced; }
  };
  Task<Outcome> mail(std::shared_ptr<const Backend> to, std::vector<mail::Recipient> all) {
    ProxyTransaction transaction(pool(), std::move(to));
    Outcome outcome;
    std::vector<mail::Recipient> taken;
    for (const mail::Recipient& each : all) {
      outcome.asked.push_back(co_await transaction.ask(client_, envelope_, each));
      if (outcome.asked.back().code == 250) taken.push_back(each);
    }
    if (!taken.empty()) outcome.delivered = co_await transaction.deliver(client_, envelope_, taken, {kMessage});
    co_return outcome;
  }
  Outcome run_mail(std::shared_ptr<const Backend> to,
                   std::vector<mail::Recipient> all = recipients({"one@in.example"})) {
    Outcome outcome;
    runner_.run([&]() -> Task<void> { outcome = co_await mail(to, all); });
    return outcome;
  }

  CoreRunner runner_;
  ProxyOptions options_;
  Backend model_{};
  mail::Client client_;
  mail::Envelope envelope_;
  std::shared_ptr<BackendPool> pool_;
};

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

TEST_F(Proxy, AnAddressThatDoesNotAnswerIsPassedOver) {
  FakeBackend gone;
  const net::Endpoint nobody = gone.endpoint();
  gone.stop();
  FakeBackend server;
  const auto to = backend({nobody, server.endpoint()});
  EXPECT_EQ(run_mail(to).last(), 250);
  EXPECT_TRUE(options_.shares->of(*to)->is_dead(0, std::chrono::steady_clock::now()));
  EXPECT_FALSE(options_.shares->of(*to)->is_dead(1, std::chrono::steady_clock::now()));
}

TEST_F(Proxy, NobodyThereIs451) {
  FakeBackend gone;
  const net::Endpoint nobody = gone.endpoint();
  gone.stop();
  const Outcome outcome = run_mail(backend({nobody}));
  EXPECT_EQ(outcome.asked.at(0).code, 451);
  EXPECT_EQ(outcome.asked.at(0).enhanced, (EnhancedStatus{4, 4, 1}));
  // Back again, it is taken up at once although it is remembered as dead.
  FakeBackend back({}, nobody.port);
  EXPECT_EQ(run_mail(backend({nobody})).last(), 250);
}

TEST_F(Proxy, NoAddressIsTheAdministratorsFault) {
  EXPECT_EQ(run_mail(backend(std::vector<net::Endpoint>{})).asked.at(0).enhanced, (EnhancedStatus{4, 3, 5}));
}

TEST_F(Proxy, NoMoreConnectionsThanAllowed) {
  FakeBackend server;
  model_.max_connections = 1;
  const auto to = backend(server);
  runner_.run([&]() -> Task<void> {
    auto first = std::make_unique<ProxyTransaction>(pool(), to);
    EXPECT_EQ((co_await first->ask(client_, envelope_, recipient("one@in.example"))).code, 250);
    ProxyTransaction second(pool(), to);
    const Reply busy = co_await second.ask(client_, envelope_, recipient("two@in.example"));
    EXPECT_EQ(busy.code, 451);
    EXPECT_EQ(busy.enhanced, (EnhancedStatus{4, 3, 2}));
    first.reset();  // its connection is free now
    EXPECT_EQ((co_await second.ask(client_, envelope_, recipient("two@in.example"))).code, 250);
  });
  EXPECT_EQ(server.connections(), 1U);
}

TEST_F(Proxy, AnotherCoresIdleConnectionsGiveWay) {
  FakeBackend server;
  model_.max_connections = 1;
  options_.slot_wait = 4s;
  const auto to = backend(server);
  EXPECT_EQ(run_mail(to).last(), 250);  // idle in the first core's pool now
  CoreRunner other;
  auto pool_of_other = make_pool(other.core(), options_);
  other.run([&]() -> Task<void> {
    ProxyTransaction transaction(*pool_of_other, to);
    EXPECT_EQ((co_await transaction.ask(client_, envelope_, recipient("two@in.example"))).code, 250);
  });
  other.run([&]() -> Task<void> {
    pool_of_other.reset();
    co_return;
  });
  EXPECT_EQ(server.connections(), 2U);
}

TEST_F(Proxy, IdleConnectionsAreClosedInTime) {
  FakeBackend server;
  options_.idle_timeout = 1s;
  EXPECT_EQ(run_mail(backend(server)).last(), 250);
  runner_.run([&]() -> Task<void> {
    EXPECT_EQ(pool().idle(), 1U);
    co_await runner_.core().sleep(3s);
    EXPECT_EQ(pool().idle(), 0U);
  });
  EXPECT_EQ(server.count("QUIT"), 1U);
  EXPECT_EQ(server.standing(), 0U);
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

class ProxyTls : public Proxy {
 protected:
  ProxyTls() {
    const auto base = std::filesystem::temp_directory_path() / ("doorward-proxy-" + std::to_string(::getpid()));
    files_ = {base.string() + ".pem", base.string() + ".key"};
    EXPECT_TRUE(net::make_self_signed(files_, {"mail.example"}, 2).has_value());
    options_.tls = net::TlsClientContext::load(files_.certificate_file).value();
  }
  ~ProxyTls() override {
    std::filesystem::remove(files_.certificate_file);
    std::filesystem::remove(files_.key_file);
  }
  FakeBackend::Options with_tls() const {
    return {.extensions = {"PIPELINING", "REQUIRETLS"}, .certificate = files_.certificate_file, .key = files_.key_file};
  }
  net::Certificate files_;
};

TEST_F(ProxyTls, OpportunisticUsesItWhereOffered) {
  FakeBackend server(with_tls());
  model_.tls = BackendTls::opportunistic;
  envelope_.require_tls = true;
  EXPECT_EQ(run_mail(backend(server)).last(), 250);
  EXPECT_EQ(server.count("STARTTLS"), 1U);
  EXPECT_EQ(server.count("MAIL FROM:<sender@out.example> REQUIRETLS"), 1U);
  FakeBackend plain;
  envelope_.require_tls = false;
  EXPECT_EQ(run_mail(backend(plain)).last(), 250);
}

TEST_F(ProxyTls, OpportunisticGoesOnInClearWhereItIsBroken) {
  FakeBackend server(with_tls());
  server.on("handshake", FakeBackend::kClose);
  model_.tls = BackendTls::opportunistic;
  EXPECT_EQ(run_mail(backend(server)).last(), 250);
  FakeBackend refusing(with_tls());
  refusing.on("STARTTLS", "454 4.7.0 not now");
  EXPECT_EQ(run_mail(backend(refusing)).last(), 250);
  EXPECT_EQ(refusing.connections(), 1U);
}

TEST_F(ProxyTls, RequiredNeverGoesInClear) {
  model_.tls = BackendTls::required;
  FakeBackend plain;
  EXPECT_EQ(run_mail(backend(plain)).asked.at(0).enhanced, (EnhancedStatus{4, 3, 5}));
  EXPECT_EQ(plain.count("MAIL"), 0U);
  FakeBackend broken(with_tls());
  broken.on("handshake", FakeBackend::kClose);
  EXPECT_EQ(run_mail(backend(broken)).asked.at(0).code, 451);
  EXPECT_EQ(broken.count("MAIL"), 0U);
  FakeBackend refusing(with_tls());
  refusing.on("STARTTLS", "502 5.5.1 no");
  EXPECT_EQ(run_mail(backend(refusing)).asked.at(0).enhanced, (EnhancedStatus{4, 3, 5}));
  FakeBackend server(with_tls());
  EXPECT_EQ(run_mail(backend(server)).last(), 250);
}

TEST_F(ProxyTls, VerifiedWantsTheRightName) {
  model_.tls = BackendTls::required_verified;
  FakeBackend server(with_tls());
  model_.tls_name = "mail.example";
  EXPECT_EQ(run_mail(backend(server)).last(), 250);
  model_.tls_name = "other.example";
  EXPECT_EQ(run_mail(backend(server)).asked.at(0).enhanced, (EnhancedStatus{4, 3, 5}));
  model_.tls_name = "";
  EXPECT_EQ(run_mail(backend(server)).asked.at(0).enhanced, (EnhancedStatus{4, 3, 5}));
  EXPECT_EQ(server.mails().size(), 1U);
}

TEST_F(ProxyTls, OffDoesNotAsk) {
  FakeBackend server(with_tls());
  EXPECT_EQ(run_mail(backend(server)).last(), 250);
  EXPECT_EQ(server.count("STARTTLS"), 0U);
}

}  // namespace
}  // namespace doorward::delivery
