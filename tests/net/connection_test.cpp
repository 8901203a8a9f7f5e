#include "net/connection.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "net/listener.h"
#include "net/loop.h"

namespace doorward::net {
namespace {

using namespace std::chrono_literals;

// A listener on loopback that hands its connections, one after the other, to the test.
class Pair : public ::testing::Test {
 protected:
  void listen(const std::string& at) {
    auto bound = Listener::bind(loop.cores(), *Endpoint::parse(at));
    ASSERT_TRUE(bound.has_value()) << bound.error().text();
    listener = std::move(*bound);
    listener->start([this](Connection connection) { accepted.push_back(std::move(connection)); });
  }

  Task<Connection> accept() {
    for (int i = 0; i < 1000 && accepted.empty(); ++i) co_await loop.core().sleep(2ms);
    Connection first = std::move(accepted.at(0));
    accepted.erase(accepted.begin());
    co_return std::move(first);
  }

  Task<Connection> dial() {
    auto made = co_await Connection::connect(loop.core(), listener->local(), 5s);
    if (!made) throw std::runtime_error(made.error().detail);
    made->set_timeout(10s);
    co_return std::move(*made);
  }

  // Connections belong to their core: they end there.
  void TearDown() override {
    loop.run([this]() -> Task<void> {
      accepted.clear();
      co_return;
    });
    listener.reset();
  }

  std::vector<Connection> accepted;
  test::Loop loop;
  std::unique_ptr<Listener> listener;
};

Task<std::string> read_exactly(Connection& from, size_t size) {
  std::string all(size, '\0');
  size_t got = 0;
  while (got < size) {
    const auto some = co_await from.read_some(std::span(all).subspan(got));
    if (!some) break;
    got += *some;
  }
  all.resize(got);
  co_return all;
}

TEST_F(Pair, BytesGoBothWays) {
  for (const char* at : {"127.0.0.1:0", "[::1]:0", "unix:connection_test.sock"}) {
    SCOPED_TRACE(at);
    listen(at);
    loop.run([&]() -> Task<void> {
      Connection client = co_await dial();
      Connection server = co_await accept();
      EXPECT_TRUE((co_await client.write("EHLO a\r\n")).has_value());
      EXPECT_EQ(co_await read_exactly(server, 8), "EHLO a\r\n");
      std::vector<std::string_view> pieces{"250-", "b", "\r\n", "", "250 OK\r\n"};
      EXPECT_TRUE((co_await server.write(pieces)).has_value());
      EXPECT_EQ(co_await read_exactly(client, 15), "250-b\r\n250 OK\r\n");
      if (std::string_view(at).starts_with("unix")) co_return;
      EXPECT_EQ(client.local(), server.remote());
      EXPECT_EQ(server.local(), client.remote());
      EXPECT_TRUE(server.remote().ip.is_loopback());
    });
    listener.reset();
  }
}

TEST_F(Pair, MegabytesArriveWholeThoughTheReaderIsSlow) {
  listen("127.0.0.1:0");
  loop.run([&]() -> Task<void> {
    Connection client = co_await dial();
    Connection server = co_await accept();
    std::string block(100'000, 'x');
    std::vector<std::string_view> pieces;
    for (size_t i = 0; i < 100; ++i) pieces.push_back(std::string_view(block).substr(0, 100'000 - i));
    size_t expected = 0;
    for (auto piece : pieces) expected += piece.size();
    static constexpr auto send = [](Connection& to, std::vector<std::string_view> what) -> Task<size_t> {
      const auto sent = co_await to.write(std::move(what));
      co_return sent.has_value() ? 1 : 0;
    };
    static constexpr auto take = [](Core& core, Connection& from, size_t size) -> Task<size_t> {
      co_await core.sleep(50ms);
      co_return (co_await read_exactly(from, size)).size();
    };
    std::vector<Task<size_t>> both;
    both.push_back(send(client, pieces));
    both.push_back(take(loop.core(), server, expected));
    const auto results = co_await when_all(std::move(both));
    EXPECT_EQ(results.at(0), 1U);
    EXPECT_EQ(results.at(1), expected);
  });
}

TEST_F(Pair, AFloodLeavesTheCoreToOthers) {
  listen("127.0.0.1:0");
  loop.run([&]() -> Task<void> {
    Connection client = co_await dial();
    Connection server = co_await accept();
    constexpr size_t kFlood = 20'000;
    EXPECT_TRUE((co_await client.write(std::string(kFlood, 'x'))).has_value());
    static constexpr auto drink = [](Connection& from, size_t size, size_t& got) -> Task<int> {
      std::array<char, 1> room{};  // so that every read is full and more is likely
      while (got < size && co_await from.read_some(room)) ++got;
      co_return 0;
    };
    static constexpr auto look = [](Core& core, const size_t& got) -> Task<int> {
      co_await core.sleep(1ms);
      co_return static_cast<int>(got);
    };
    size_t got = 0;
    std::vector<Task<int>> both;
    both.push_back(look(loop.core(), got));
    both.push_back(drink(server, kFlood, got));
    const auto results = co_await when_all(std::move(both));
    EXPECT_LT(results.at(0), static_cast<int>(kFlood)) << "the sleeper woke only after the flood";
    EXPECT_EQ(got, kFlood);
  });
}

TEST_F(Pair, ReadsTimeOutAndTheLastWordsStillGo) {
  listen("127.0.0.1:0");
  loop.run([&]() -> Task<void> {
    Connection client = co_await dial();
    Connection server = co_await accept();
    server.set_timeout(10s);
    server.set_timeout(40ms);  // moved earlier
    const auto before = std::chrono::steady_clock::now();
    std::array<char, 8> room{};
    const auto got = co_await server.read_some(room);
    EXPECT_FALSE(got.has_value());
    EXPECT_EQ(got.error().kind, IoError::timed_out);
    EXPECT_GE(std::chrono::steady_clock::now() - before, 39ms);
    server.set_timeout(1s);
    EXPECT_TRUE((co_await server.write("421 bye\r\n")).has_value());
    server.close();
    EXPECT_EQ(co_await read_exactly(client, 9), "421 bye\r\n");
    EXPECT_EQ((co_await client.read_some(room)).error().kind, IoError::closed);
  });
}

TEST_F(Pair, ADeadlineMovedLaterHolds) {
  listen("127.0.0.1:0");
  loop.run([&]() -> Task<void> {
    Connection client = co_await dial();
    Connection server = co_await accept();
    server.set_timeout(20ms);
    static constexpr auto read = [](Connection& from) -> Task<int> {
      std::array<char, 8> room{};
      const auto got = co_await from.read_some(room);
      co_return got ? static_cast<int>(*got) : -1;
    };
    static constexpr auto move_and_send = [](Core& core, Connection& reader, Connection& writer) -> Task<int> {
      co_await core.sleep(10ms);
      reader.set_timeout(5s);
      co_await core.sleep(60ms);
      const auto sent = co_await writer.write("hello");
      co_return sent ? 0 : -1;
    };
    std::vector<Task<int>> both;
    both.push_back(read(server));
    both.push_back(move_and_send(loop.core(), server, client));
    EXPECT_EQ((co_await when_all(std::move(both))).at(0), 5);
  });
}

TEST_F(Pair, ClosingAndDroppingLetWaitingReadsFail) {
  listen("127.0.0.1:0");
  loop.run([&]() -> Task<void> {
    static constexpr auto read = [](Connection& from) -> Task<int> {
      std::array<char, 8> room{};
      const auto got = co_await from.read_some(room);
      co_return !got && got.error().kind == IoError::closed ? 1 : 0;
    };
    static constexpr auto drop = [](Core& core, std::unique_ptr<Connection>& held, bool destroy) -> Task<int> {
      co_await core.sleep(5ms);
      if (destroy) {
        held.reset();
      } else {
        held->close();
        EXPECT_FALSE(held->is_open());
      }
      co_return 1;
    };
    for (bool destroy : {false, true}) {
      Connection client = co_await dial();
      auto server = std::make_unique<Connection>(co_await accept());
      std::vector<Task<int>> both;
      both.push_back(read(*server));
      both.push_back(drop(loop.core(), server, destroy));
      EXPECT_EQ((co_await when_all(std::move(both))).at(0), 1) << destroy;
    }
  });
}

TEST_F(Pair, SeesPendingInputWithoutWaiting) {
  listen("127.0.0.1:0");
  loop.run([&]() -> Task<void> {
    Connection client = co_await dial();
    Connection server = co_await accept();
    EXPECT_FALSE(server.input_pending());
    EXPECT_TRUE((co_await client.write("x")).has_value());
    server.set_timeout(5s);
    EXPECT_TRUE((co_await server.wait_readable()).has_value());
    EXPECT_TRUE(server.input_pending());
    EXPECT_EQ(co_await read_exactly(server, 1), "x");
    EXPECT_FALSE(server.input_pending());
    client.close();
    EXPECT_TRUE((co_await server.wait_readable()).has_value());
    EXPECT_TRUE(server.input_pending());
  });
}

TEST_F(Pair, ConnectingWhereNobodyListensIsRefused) {
  listen("127.0.0.1:0");
  const Endpoint gone = listener->local();
  listener.reset();
  loop.run([&]() -> Task<void> {
    co_await loop.core().sleep(10ms);
    const auto made = co_await Connection::connect(loop.core(), gone, 5s);
    EXPECT_FALSE(made.has_value());
    EXPECT_EQ(made.error().kind, IoError::refused);
  });
}

TEST_F(Pair, OutOfDescriptorsTheListenerWaitsAndGoesOn) {
#if __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP() << "UBSan's own check of memory needs descriptors, of which this test leaves none";
#endif
  listen("127.0.0.1:0");
  loop.run([&]() -> Task<void> {
    Connection client = co_await dial();  // one before, so that everything is set up
    Connection server = co_await accept();
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    std::vector<int> plug;
    Connection second = co_await dial();
    Connection taken = co_await accept();
    rlimit tight{64, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &tight);
    for (int fd = dup(0); fd >= 0; fd = dup(0)) plug.push_back(fd);
    ::close(plug.back());
    plug.pop_back();
    auto third = co_await Connection::connect(loop.core(), listener->local(), 5s);  // takes the last one
    EXPECT_TRUE(third.has_value());
    co_await loop.core().sleep(150ms);
    EXPECT_TRUE(accepted.empty());
    for (int fd : plug) ::close(fd);
    setrlimit(RLIMIT_NOFILE, &before);
    Connection late = co_await accept();
    EXPECT_TRUE(late.is_open());
  });
}

TEST(ConnectionShutdown, StoppingTheCoresEndsWaitingReads) {
  std::atomic<int> ended = 0;
  {
    Cores cores(2);
    cores.start();
    auto bound = Listener::bind(cores, *Endpoint::parse("127.0.0.1:0"));
    ASSERT_TRUE(bound.has_value());
    static constexpr auto serve = [](Connection connection, std::atomic<int>& count) -> Task<void> {
      std::array<char, 8> room{};
      const auto got = co_await connection.read_some(room);
      if (!got && got.error().kind == IoError::closed) ++count;
    };
    std::atomic<int> taken = 0;
    (*bound)->start([&](Connection connection) {
      ++taken;
      spawn(serve(std::move(connection), ended));
    });
    static constexpr auto dial = [](Core& core, Endpoint to, std::atomic<int>& count) -> Task<void> {
      auto made = co_await Connection::connect(core, to, 5s);
      if (!made) co_return;
      std::array<char, 8> room{};
      const auto got = co_await made->read_some(room);
      if (!got) ++count;
    };
    for (int i = 0; i < 10; ++i) {
      cores.at(0).post([&] { spawn(dial(cores.at(0), (*bound)->local(), ended)); });
    }
    for (int i = 0; i < 500 && taken < 10; ++i) std::this_thread::sleep_for(2ms);
    EXPECT_EQ(taken, 10);
  }
  EXPECT_EQ(ended, 20);
}

}  // namespace
}  // namespace doorward::net
