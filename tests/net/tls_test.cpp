#include "net/tls.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "net/connection.h"
#include "net/listener.h"
#include "net/loop.h"

namespace doorward::net {
namespace {

using namespace std::chrono_literals;

class Tls : public ::testing::Test {
 protected:
  void SetUp() override {
    directory = std::filesystem::temp_directory_path() / ("doorward-tls-" + std::to_string(getpid()));
    std::filesystem::create_directories(directory);
    ASSERT_TRUE(make_self_signed(certificate("first"), {"mx.example.org", "127.0.0.1"}, 7).has_value());
    ASSERT_TRUE(make_self_signed(certificate("second"), {"other.example", "*.wild.example"}, 7).has_value());
    auto loaded = TlsServerContext::load({certificate("first"), certificate("second")});
    ASSERT_TRUE(loaded.has_value()) << loaded.error().text();
    server_context = *loaded;
    auto bound = Listener::bind(loop.cores(), *Endpoint::parse("127.0.0.1:0"));
    ASSERT_TRUE(bound.has_value());
    listener = std::move(*bound);
  }
  void TearDown() override {
    listener.reset();
    std::filesystem::remove_all(directory);
  }

  Certificate certificate(const std::string& name) const {
    return {(directory / (name + ".crt")).string(), (directory / (name + ".key")).string()};
  }

  // Echoes until the client ends.
  void serve() {
    static constexpr auto echo = [](Connection connection,
                                    std::shared_ptr<const TlsServerContext> context) -> Task<void> {
      connection.set_timeout(5s);
      const auto info = co_await connection.start_tls(*context);
      if (!info) co_return;
      std::array<char, 20000> room{};
      for (;;) {
        const auto got = co_await connection.read_some(room);
        if (!got) co_return;
        std::vector<std::string_view> pieces{std::string_view(room.data(), *got / 2),
                                             std::string_view(room.data() + *got / 2, *got - *got / 2)};
        if (!(co_await connection.write(std::move(pieces)))) co_return;
      }
    };
    listener->start([this](Connection connection) { spawn(echo(std::move(connection), server_context)); });
  }

  Task<TlsInfo> hand_shake(Connection& connection, const TlsClientContext& context, std::string host) {
    const auto info = co_await connection.start_tls(context, std::move(host));
    if (!info) throw std::runtime_error(info.error().detail);
    co_return *info;
  }

  Task<Connection> dial() {
    auto made = co_await Connection::connect(loop.core(), listener->local(), 5s);
    if (!made) throw std::runtime_error(made.error().detail);
    made->set_timeout(10s);
    co_return std::move(*made);
  }

  std::shared_ptr<const TlsClientContext> trusting(const std::string& name) {
    auto loaded = TlsClientContext::load(certificate(name).certificate_file);
    EXPECT_TRUE(loaded.has_value());
    return *loaded;
  }

  std::filesystem::path directory;
  test::Loop loop;
  std::shared_ptr<const TlsServerContext> server_context;
  std::unique_ptr<Listener> listener;
};

TEST_F(Tls, AMegabyteGoesThereAndBack) {
  serve();
  const auto context = trusting("first");
  loop.run([&]() -> Task<void> {
    Connection client = co_await dial();
    const TlsInfo info = co_await hand_shake(client, *context, "mx.example.org");
    EXPECT_EQ(info.version, "TLSv1.3");
    EXPECT_TRUE(info.verified);
    EXPECT_EQ(info.peer_name, "mx.example.org");
    EXPECT_TRUE(client.is_tls());
    const std::string sent(1 << 20, 'm');
    constexpr auto send = [](Connection& to, std::string_view bytes) -> Task<size_t> {
      const auto done = co_await to.write(bytes);
      co_return done ? 1 : 0;
    };
    constexpr auto receive = [](Connection& from, size_t size) -> Task<size_t> {
      std::array<char, 4096> room{};
      size_t got = 0;
      while (got < size) {
        const auto some = co_await from.read_some(room);
        if (!some) break;
        got += *some;
      }
      co_return got;
    };
    std::vector<Task<size_t>> both;
    both.push_back(send(client, sent));
    both.push_back(receive(client, sent.size()));
    const auto results = co_await when_all(std::move(both));
    EXPECT_EQ(results.at(0), 1U);
    EXPECT_EQ(results.at(1), sent.size());
  });
}

TEST_F(Tls, TheCertificateFollowsTheNameAskedFor) {
  serve();
  struct Case {
    std::string host, subject;
  };
  const auto context = trusting("second");
  for (const Case& one : {Case{"other.example", "other.example"}, Case{"OTHER.example", "other.example"},
                          Case{"a.wild.example", "other.example"}, Case{"a.b.wild.example", "mx.example.org"},
                          Case{"unknown.example", "mx.example.org"}, Case{"", "mx.example.org"}}) {
    SCOPED_TRACE(one.host);
    loop.run([&]() -> Task<void> {
      Connection client = co_await dial();
      const TlsInfo info = co_await hand_shake(client, *context, one.host);
      EXPECT_EQ(info.peer_name, one.subject);
      EXPECT_EQ(info.verified, one.subject == "other.example");
    });
  }
}

TEST_F(Tls, ANameThatDoesNotFitIsNotVerified) {
  serve();
  const auto context = trusting("first");
  struct Case {
    std::string host;
    bool verified;
  };
  for (const Case& one : {Case{"mx.example.org", true}, Case{"mx.example.org.", true}, Case{"127.0.0.1", true},
                          Case{"127.0.0.2", false}, Case{"evil.example", false}, Case{"", true}}) {
    SCOPED_TRACE(one.host);
    loop.run([&]() -> Task<void> {
      Connection client = co_await dial();
      const TlsInfo info = co_await hand_shake(client, *context, one.host);
      EXPECT_EQ(info.verified, one.verified);
    });
  }
}

TEST_F(Tls, AStrangersCertificateIsNotVerified) {
  serve();
  const auto context = TlsClientContext::load();
  ASSERT_TRUE(context.has_value());
  loop.run([&]() -> Task<void> {
    Connection client = co_await dial();
    EXPECT_FALSE((co_await hand_shake(client, **context, "mx.example.org")).verified);
  });
}

TEST_F(Tls, PlainTextInsteadOfAHandshakeFails) {
  std::optional<IoError> seen;
  static constexpr auto expect_failure = [](Connection connection, std::shared_ptr<const TlsServerContext> context,
                                            std::optional<IoError>& result) -> Task<void> {
    connection.set_timeout(5s);
    const auto info = co_await connection.start_tls(*context);
    result = info ? IoError::other : info.error().kind;
  };
  listener->start([&](Connection connection) { spawn(expect_failure(std::move(connection), server_context, seen)); });
  loop.run([&]() -> Task<void> {
    Connection client = co_await dial();
    EXPECT_TRUE((co_await client.write("EHLO this.is.no.handshake\r\n")).has_value());
    for (int i = 0; i < 500 && !seen; ++i) co_await loop.core().sleep(2ms);
    EXPECT_EQ(seen, IoError::tls);
  });
}

TEST_F(Tls, ASilentClientTimesOutInTheHandshake) {
  std::optional<IoError> seen;
  static constexpr auto expect_failure = [](Connection connection, std::shared_ptr<const TlsServerContext> context,
                                            std::optional<IoError>& result) -> Task<void> {
    connection.set_timeout(30ms);
    const auto info = co_await connection.start_tls(*context);
    result = info ? IoError::other : info.error().kind;
  };
  listener->start([&](Connection connection) { spawn(expect_failure(std::move(connection), server_context, seen)); });
  loop.run([&]() -> Task<void> {
    Connection client = co_await dial();
    for (int i = 0; i < 500 && !seen; ++i) co_await loop.core().sleep(2ms);
    EXPECT_EQ(seen, IoError::timed_out);
  });
}

TEST_F(Tls, APeerThatSendsFastDoesNotKeepTheCore) {
  serve();
  const auto context = trusting("first");
  loop.run([&]() -> Task<void> {
    Connection client = co_await dial();
    co_await hand_shake(client, *context, "");
    const std::string sent(16'000, 'm');
    EXPECT_TRUE((co_await client.write(sent)).has_value());
    co_await loop.core().sleep(200ms);  // all of it is back by then: no read has to wait
    int turns = 0;
    bool over = false;
    std::function<void()> turn = [&] {
      ++turns;
      if (!over) loop.core().post(turn);
    };
    loop.core().post(turn);
    std::array<char, 100> room{};
    for (size_t got = 0; got < sent.size();) {
      const auto some = co_await client.read_some(room);
      if (!some) break;
      got += *some;
    }
    over = true;
    EXPECT_GE(turns, 8);  // of 160 reads
    co_await loop.core().sleep(10ms);
  });
}

TEST_F(Tls, PendingInputIsSeenBehindTheRecords) {
  serve();
  const auto context = trusting("first");
  loop.run([&]() -> Task<void> {
    Connection client = co_await dial();
    co_await hand_shake(client, *context, "mx.example.org");
    EXPECT_FALSE(client.input_pending());
    EXPECT_TRUE((co_await client.write("abc")).has_value());
    bool seen = false;
    for (int i = 0; i < 500 && !seen; ++i) {
      co_await loop.core().sleep(2ms);
      seen = client.input_pending();
    }
    EXPECT_TRUE(seen);
    std::array<char, 8> room{};
    const auto got = co_await client.read_some(room);
    EXPECT_TRUE(got.has_value());
  });
}

TEST_F(Tls, WrongFilesAreNamed) {
  const auto missing = TlsServerContext::load({certificate("absent")});
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().text().find("absent.crt"), std::string::npos);
  const auto mixed = TlsServerContext::load({{certificate("first").certificate_file, certificate("second").key_file}});
  ASSERT_FALSE(mixed.has_value());
  EXPECT_NE(mixed.error().text().find("second.key"), std::string::npos);
  EXPECT_FALSE(TlsServerContext::load({}).has_value());
  EXPECT_FALSE(TlsClientContext::load((directory / "absent.pem").string()).has_value());
}

TEST_F(Tls, AMadeKeyIsPrivate) {
  const auto mode = std::filesystem::status(certificate("first").key_file).permissions();
  EXPECT_EQ(mode & (std::filesystem::perms::group_all | std::filesystem::perms::others_all),
            std::filesystem::perms::none);
}

}  // namespace
}  // namespace doorward::net
