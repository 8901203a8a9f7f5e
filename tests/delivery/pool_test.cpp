// Connections: which address, how many, how long, and whose.
#include "delivery/proxy_fixture.h"

namespace doorward::delivery {
namespace {

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
  server.on("RCPT TO:<slow@", FakeBackend::kSilent);
  model_.max_connections = 1;
  const auto to = backend(server);
  runner_.run([&]() -> Task<void> {
    auto first = std::make_unique<ProxyTransaction>(pool(), to);
    ProxyTransaction second(pool(), to);
    const mail::Recipient slow = recipient("slow@in.example"), two = recipient("two@in.example");
    std::vector<Task<Reply>> both;
    both.push_back(first->ask(client_, envelope_, slow));
    both.push_back(second.ask(client_, envelope_, two));
    const auto replies = co_await when_all(std::move(both));
    EXPECT_EQ(replies.at(0).code, 451);
    EXPECT_EQ(replies.at(1).code, 451);
    EXPECT_EQ(replies.at(1).enhanced, (EnhancedStatus{4, 3, 2}));
    first.reset();  // its connection is free now
    EXPECT_EQ((co_await second.ask(client_, envelope_, two)).code, 250);
  });
}

// What a client that does nothing holds, another one gets; and both mails arrive whole.
TEST_F(Proxy, AConnectionWhoseClientIsAwaitedIsTakenBackForAnother) {
  FakeBackend server;
  model_.max_connections = 1;
  const auto to = backend(server);
  runner_.run([&]() -> Task<void> {
    ProxyTransaction first(pool(), to), second(pool(), to);
    EXPECT_EQ((co_await first.ask(client_, envelope_, recipient("one@in.example"))).code, 250);
    EXPECT_EQ((co_await second.ask(client_, envelope_, recipient("two@in.example"))).code, 250);
    EXPECT_EQ((co_await first.ask(client_, envelope_, recipient("three@in.example"))).code, 250);
    const auto of_second = co_await second.deliver(client_, envelope_, recipients({"two@in.example"}), {kMessage});
    EXPECT_EQ(of_second.at(0).code, 250);
    const auto of_first =
        co_await first.deliver(client_, envelope_, recipients({"one@in.example", "three@in.example"}), {kMessage});
    EXPECT_EQ(of_first.at(1).code, 250);
  });
  EXPECT_EQ(server.connections(), 1U);
  ASSERT_EQ(server.mails().size(), 2U);
  EXPECT_THAT(server.mails()[0].recipients, ElementsAre("RCPT TO:<two@in.example>"));
  EXPECT_THAT(server.mails()[1].recipients, ElementsAre("RCPT TO:<one@in.example>", "RCPT TO:<three@in.example>"));
}

TEST_F(Proxy, TheOneThatRestedLongestIsTakenBackFirst) {
  FakeBackend server;
  model_.max_connections = 2;
  const auto to = backend(server);
  runner_.run([&]() -> Task<void> {
    ProxyTransaction first(pool(), to), second(pool(), to), third(pool(), to);
    EXPECT_EQ((co_await first.ask(client_, envelope_, recipient("one@in.example"))).code, 250);
    EXPECT_EQ((co_await second.ask(client_, envelope_, recipient("two@in.example"))).code, 250);
    EXPECT_EQ((co_await third.ask(client_, envelope_, recipient("three@in.example"))).code, 250);
    EXPECT_EQ((co_await second.deliver(client_, envelope_, recipients({"two@in.example"}), {kMessage})).at(0).code,
              250);
    EXPECT_EQ(server.count("RCPT TO:<two@"), 1U);  // its transaction stood
    EXPECT_EQ((co_await first.deliver(client_, envelope_, recipients({"one@in.example"}), {kMessage})).at(0).code, 250);
    EXPECT_EQ(server.count("RCPT TO:<one@"), 2U);
  });
}

TEST_F(Proxy, AnotherCoresRestingTransactionsGiveWay) {
  FakeBackend server;
  model_.max_connections = 1;
  options_.slot_wait = 4s;
  const auto to = backend(server);
  std::unique_ptr<ProxyTransaction> resting;
  runner_.run([&]() -> Task<void> {
    resting = std::make_unique<ProxyTransaction>(pool(), to);
    EXPECT_EQ((co_await resting->ask(client_, envelope_, recipient("one@in.example"))).code, 250);
  });
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
  runner_.run([&]() -> Task<void> {
    EXPECT_EQ((co_await resting->deliver(client_, envelope_, recipients({"one@in.example"}), {kMessage})).at(0).code,
              250);
    resting.reset();
  });
  EXPECT_EQ(server.mails().size(), 1U);
}

TEST_F(Proxy, AClientThatTakesItsTimeDoesNotKeepTheConnection) {
  FakeBackend server;
  options_.client_rest = 1s;
  runner_.run([&]() -> Task<void> {
    ProxyTransaction transaction(pool(), backend(server));
    (void)co_await transaction.ask(client_, envelope_, recipient("one@in.example"));
    EXPECT_EQ(pool().idle(), 0U);
    co_await runner_.core().sleep(3500ms);
    EXPECT_EQ(pool().idle(), 1U);
    EXPECT_EQ(server.count("RSET"), 1U);
    EXPECT_EQ((co_await transaction.ask(client_, envelope_, recipient("two@in.example"))).code, 250);
    const auto replies =
        co_await transaction.deliver(client_, envelope_, recipients({"one@in.example", "two@in.example"}), {kMessage});
    EXPECT_EQ(replies.at(1).code, 250);
  });
  EXPECT_EQ(server.mails().at(0).recipients.size(), 2U);
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

// Whoever sends to the whole world must not keep a connection to all of it.
TEST_F(Proxy, ConnectionsAreKeptToSoManyStrangersOnly) {
  std::array<FakeBackend, 4> servers;
  options_.hosts_kept = 2;
  model_.id = 0;
  for (const FakeBackend& server : servers) EXPECT_EQ(run_mail(backend(server)).last(), 250);
  EXPECT_EQ(pool().idle(), 2U);
  model_.id = 1;
  FakeBackend own;
  EXPECT_EQ(run_mail(backend(own)).last(), 250);
  EXPECT_EQ(pool().idle(), 3U);
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

}  // namespace
}  // namespace doorward::delivery
