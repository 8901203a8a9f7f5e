#include "smtp/server.h"

#include <gtest/gtest.h>

#include "net/loop.h"
#include "smtp/recording_handler.h"

namespace doorward::smtp {
namespace {

using namespace std::chrono_literals;

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    options.host_name = "mx.example";
    options.limits.connections_per_ip = 5000;
    cores.start();
  }
  ~ServerTest() override {
    cores.stop();
    cores.join();
  }
  void start() {
    server = std::make_unique<Server>(cores, clock, options, factory);
    ListenerOptions listener;
    listener.address = *net::Endpoint::parse("127.0.0.1:0");
    listener.tls = TlsMode::none;
    listener.xclient_from.push_back(*mail::Network::parse("127.0.0.0/8"));
    ASSERT_TRUE(server->listen(listener).has_value());
    server->start();
  }
  Task<net::Connection> dial() {
    auto made = co_await net::Connection::connect(client.core(), server->addresses().front(), 5s);
    if (!made) throw std::runtime_error(made.error().detail);
    made->set_timeout(15s);
    co_return std::move(*made);
  }
  static Task<std::string> read_until(net::Connection& from, std::string_view end) {
    std::string all;
    std::array<char, 4096> room{};
    while (!all.ends_with(end)) {
      const auto got = co_await from.read_some(room);
      if (!got) break;
      all.append(room.data(), *got);
    }
    co_return all;
  }
  static Task<void> say(net::Connection& to, std::string text) {
    const auto sent = co_await to.write(text);
    if (!sent) throw std::runtime_error(sent.error().detail);
  }

  RealClock clock;
  test::Record record;
  test::RecordingFactory factory{record};
  ServerOptions options;
  net::test::Loop client;
  net::Cores cores{2};
  std::unique_ptr<Server> server;
};

TEST_F(ServerTest, AThousandSlowClientsDoNotHurtTheOthers) {
  start();
  constexpr size_t kSlow = 1000;
  client.run([&]() -> Task<void> {
    std::vector<net::Connection> slow;
    for (size_t i = 0; i < kSlow; ++i) slow.push_back(co_await dial());
    for (net::Connection& one : slow) EXPECT_TRUE((co_await read_until(one, "\r\n")).starts_with("220 "));
    EXPECT_EQ(server->sessions(), kSlow);
    // Half of them trickle octets of a command while a mail goes through.
    for (size_t i = 0; i < kSlow; i += 2) co_await say(slow[i], "N");
    const auto before = std::chrono::steady_clock::now();
    net::Connection busy = co_await dial();
    co_await read_until(busy, "\r\n");
    co_await say(busy, "HELO c.example\r\n");
    co_await read_until(busy, "\r\n");
    co_await say(busy, "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
    co_await read_until(busy, "<CRLF>\r\n");
    co_await say(busy, "x\r\n.\r\n");
    EXPECT_TRUE((co_await read_until(busy, "taken\r\n")).ends_with("250 2.0.0 taken\r\n"));
    EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
    for (size_t i = 0; i < kSlow; i += 2) co_await say(slow[i], "OOP\r\n");
    for (size_t i = 0; i < kSlow; i += 2) EXPECT_EQ(co_await read_until(slow[i], "\r\n"), "250 2.0.0 OK\r\n");
  });
  for (int i = 0; i < 1000 && server->sessions() > 0; ++i) std::this_thread::sleep_for(2ms);
  EXPECT_EQ(server->sessions(), 0U);
  const std::lock_guard guard(record.lock);
  EXPECT_EQ(std::count(record.events.begin(), record.events.end(), "closed"), static_cast<long>(kSlow + 1));
}

TEST_F(ServerTest, DrainingEndsIdleSessionsAtOnceAndBusyOnesAfterTheirMail) {
  start();
  client.run([&]() -> Task<void> {
    net::Connection idle = co_await dial();
    co_await read_until(idle, "\r\n");
    net::Connection busy = co_await dial();
    co_await read_until(busy, "\r\n");
    co_await say(busy, "HELO c.example\r\n");
    co_await read_until(busy, "\r\n");
    co_await say(busy, "MAIL FROM:<a@b.example>\r\n");
    co_await read_until(busy, "\r\n");
    server->drain();
    EXPECT_TRUE((co_await read_until(idle, "later\r\n")).starts_with("421 4.3.2 "));
    EXPECT_EQ(co_await read_until(idle, "?"), "");
    co_await say(busy, "RCPT TO:<c@d.example>\r\n");
    EXPECT_TRUE((co_await read_until(busy, "\r\n")).starts_with("250 "));
    co_await say(busy, "DATA\r\n");
    EXPECT_TRUE((co_await read_until(busy, "\r\n")).starts_with("354 "));
    co_await say(busy, "x\r\n.\r\n");
    EXPECT_TRUE((co_await read_until(busy, "later\r\n")).starts_with("250 2.0.0 taken\r\n421 4.3.2 "));
    bool open = true;  // until the last core has closed its listener
    for (int i = 0; i < 1000 && open; ++i) {
      open = (co_await net::Connection::connect(client.core(), server->addresses().front(), 5s)).has_value();
      if (open) co_await client.core().sleep(2ms);
    }
    EXPECT_FALSE(open);
  });
}

TEST_F(ServerTest, DestroyingTheServerEndsItsSessions) {
  start();
  client.run([&]() -> Task<void> {
    net::Connection one = co_await dial();
    co_await read_until(one, "\r\n");
    server.reset();
    EXPECT_EQ(co_await read_until(one, "?"), "");
  });
}

TEST_F(ServerTest, ErrorsSlowTheirRepliesDown) {
  options.timeouts.error_delay = 60ms;
  start();
  client.run([&]() -> Task<void> {
    net::Connection one = co_await dial();
    co_await read_until(one, "\r\n");
    std::vector<std::chrono::steady_clock::duration> times;
    for (int i = 0; i < 4; ++i) {
      const auto before = std::chrono::steady_clock::now();
      co_await say(one, "WIZ\r\n");
      co_await read_until(one, "\r\n");
      times.push_back(std::chrono::steady_clock::now() - before);
    }
    EXPECT_LT(times[1], 60ms);
    EXPECT_GE(times[2], 60ms);
    EXPECT_GE(times[3], 120ms);
  });
}

TEST_F(ServerTest, LargeMessagesComeWholeAndTheMemoryIsCountedBack) {
  options.limits.memory_per_connection = 100'000;
  start();
  client.run([&]() -> Task<void> {
    std::string text = "Subject: large\r\n\r\n";
    for (int i = 0; i < 30'000; ++i) text += "..line " + std::to_string(i) + " of a large message\r\n";
    std::string expected = text;
    for (size_t at = 0; (at = expected.find("\r\n..", at)) != std::string::npos;) expected.erase(at + 2, 1);
    for (int round = 0; round < 3; ++round) {
      net::Connection one = co_await dial();
      co_await read_until(one, "\r\n");
      co_await say(one, "HELO c.example\r\n");
      co_await read_until(one, "\r\n");
      co_await say(one, "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
      co_await read_until(one, "<CRLF>\r\n");
      co_await say(one, text + ".\r\n");
      EXPECT_TRUE((co_await read_until(one, "taken\r\n")).ends_with("250 2.0.0 taken\r\n"));
      const std::lock_guard guard(record.lock);
      EXPECT_TRUE(record.messages.back() == expected);
    }
  });
}

TEST_F(ServerTest, ASenderThatNeverPausesIsTimedOutToo) {
  options.timeouts.whole_data = 1s;
  start();
  client.run([&]() -> Task<void> {
    net::Connection one = co_await dial();
    co_await read_until(one, "\r\n");
    co_await say(one, "HELO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
    co_await read_until(one, "<CRLF>\r\n");
    const std::string block(512 << 10, 'x');
    const auto began = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - began < 8s)
      if (!(co_await one.write(block))) break;
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  });
}

TEST_F(ServerTest, EmptyChunksWithoutEndAreErrors) {
  options.limits.command_errors = 3;
  options.timeouts.error_delay = 0ms;
  start();
  client.run([&]() -> Task<void> {
    net::Connection one = co_await dial();
    co_await read_until(one, "\r\n");
    co_await say(one, "EHLO c.example\r\n");
    co_await read_until(one, "HELP\r\n");
    co_await say(one, "MAIL FROM:<a@b.example>\r\n");
    co_await read_until(one, "\r\n");
    co_await say(one, "RCPT TO:<c@d.example>\r\n");
    co_await read_until(one, "\r\n");
    std::string reply = "250 ";
    int taken = 0;
    for (; taken < 1000 && reply.starts_with("250 "); ++taken) {
      co_await say(one, "BDAT 0\r\n");
      reply = co_await read_until(one, "\r\n");
    }
    EXPECT_GT(taken, 100);
    EXPECT_LT(taken, 110);
    EXPECT_TRUE(reply.starts_with("421 4.7.0")) << reply;
  });
}

// A proxy that does not know its clients' addresses is not held to be one client.
TEST_F(ServerTest, UnknownClientsOfAProxyAreNotCountedTogether) {
  options.limits.connections_per_ip = 1;
  start();
  client.run([&]() -> Task<void> {
    std::vector<net::Connection> all;
    for (int i = 0; i < 3; ++i) {
      all.push_back(co_await dial());
      EXPECT_TRUE((co_await read_until(all.back(), "\r\n")).starts_with("220 "));
      co_await say(all.back(), "XCLIENT ADDR=[UNAVAILABLE] NAME=[UNAVAILABLE]\r\n");
      EXPECT_TRUE((co_await read_until(all.back(), "\r\n")).starts_with("220 "));
    }
  });
}

TEST_F(ServerTest, AListenerWithTlsNeedsACertificate) {
  server = std::make_unique<Server>(cores, clock, options, factory);
  ListenerOptions listener;
  listener.address = *net::Endpoint::parse("127.0.0.1:0");
  EXPECT_FALSE(server->listen(listener).has_value());
}

// Each client that a proxy names is counted for itself.
TEST_F(ServerTest, WhoComesTooOftenIsToldToComeLater) {
  options.limits.connections_a_minute = 2;
  options.limits.network_connections_a_minute = 3;
  start();
  client.run([&]() -> Task<void> {
    const auto come = [&](std::string address) -> Task<std::string> {
      net::Connection one = co_await dial();
      EXPECT_TRUE((co_await read_until(one, "\r\n")).starts_with("220 "));
      co_await say(one, "XCLIENT ADDR=" + address + " NAME=[UNAVAILABLE]\r\n");
      co_return (co_await read_until(one, "\r\n")).substr(0, 9);
    };
    EXPECT_TRUE((co_await come("192.0.2.1")).starts_with("220 "));
    EXPECT_TRUE((co_await come("192.0.2.1")).starts_with("220 "));
    EXPECT_EQ(co_await come("192.0.2.1"), "421 4.7.0");
    EXPECT_TRUE((co_await come("192.0.2.2")).starts_with("220 "));
    EXPECT_EQ(co_await come("192.0.2.3"), "421 4.7.0") << "the network";
    EXPECT_TRUE((co_await come("198.51.100.1")).starts_with("220 "));
  });
}

TEST_F(ServerTest, MailsAMinuteAreCountedOverAllSessions) {
  options.limits.mails_a_minute = 1;
  start();
  client.run([&]() -> Task<void> {
    for (const std::string_view expected : {"250 ", "450 4.7.1 "}) {
      net::Connection one = co_await dial();
      co_await read_until(one, "\r\n");
      co_await say(one, "EHLO c.example\r\n");
      co_await read_until(one, "HELP\r\n");
      co_await say(one, "MAIL FROM:<a@b.example>\r\n");
      const std::string reply = co_await read_until(one, "\r\n");
      EXPECT_TRUE(reply.starts_with(expected)) << reply;
    }
  });
}

}  // namespace
}  // namespace doorward::smtp
