#include "smtp/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "delivery/core_runner.h"
#include "delivery/fake_backend.h"

namespace doorward::smtp {
namespace {

using test::CoreRunner;
using test::FakeBackend;
using namespace std::chrono_literals;

const ClientTimeouts kShort{1s, 1s, 1s, 1s, 1s};

class Client : public testing::Test {
 protected:
  CoreRunner runner_;

  static Task<ClientConnection> connect(net::Core& core, net::Endpoint to, bool lmtp = false) {
    auto connection = co_await net::Connection::connect(core, to, 2s);
    if (!connection) throw std::runtime_error("no connection: " + connection.error().detail);
    co_return ClientConnection(std::move(*connection), lmtp, kShort);
  }
  static Task<ClientConnection> greeted(net::Core& core, net::Endpoint to, bool lmtp = false) {
    ClientConnection client = co_await connect(core, to, lmtp);
    EXPECT_EQ((co_await client.greeting()).value().code, 220);
    EXPECT_EQ((co_await client.hello("gate.example")).value().code, 250);
    co_return client;
  }
  // The whole of one mail; what the server then has.
  std::string through(std::vector<std::string_view> pieces, bool bdat) {
    FakeBackend server;
    runner_.run([&]() -> Task<void> {
      ClientConnection client = co_await greeted(runner_.core(), server.endpoint());
      (void)co_await client.pipeline({"MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>"});
      auto replies = co_await client.data(pieces, 1, bdat);
      EXPECT_TRUE(replies.has_value() && replies->size() == 1 && replies->front().code == 250);
      EXPECT_TRUE(client.content_sent());
    });
    const auto mails = server.mails();
    if (mails.size() != 1) return "no mail";
    EXPECT_EQ(mails[0].bdat, bdat);
    return mails[0].content;
  }
};

TEST_F(Client, LearnsTheExtensions) {
  FakeBackend server({.extensions = {"pipelining", "SIZE 4711", "8BITMIME", "X-UNKNOWN yes", "DSN", "REQUIRETLS"}});
  runner_.run([&]() -> Task<void> {
    ClientConnection client = co_await greeted(runner_.core(), server.endpoint());
    const Extensions& has = client.extensions();
    EXPECT_TRUE(has.pipelining && has.size && has.eight_bit_mime && has.dsn && has.requiretls);
    EXPECT_FALSE(has.chunking || has.smtputf8 || has.starttls || has.prdr);
    EXPECT_EQ(has.size_limit, 4711U);
  });
}

TEST_F(Client, FallsBackToHeloWhereEhloIsUnknown) {
  FakeBackend server;
  server.on("EHLO", "502 5.5.1 never heard of it");
  runner_.run([&]() -> Task<void> {
    ClientConnection client = co_await greeted(runner_.core(), server.endpoint());
    EXPECT_FALSE(client.extensions().pipelining);
  });
  EXPECT_THAT(server.commands(), testing::ElementsAre("EHLO gate.example", "HELO gate.example"));
}

TEST_F(Client, PipelinesInOneWriteWhereOffered) {
  FakeBackend server;
  runner_.run([&]() -> Task<void> {
    ClientConnection client = co_await greeted(runner_.core(), server.endpoint());
    auto replies = co_await client.pipeline({"MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>", "RSET"});
    EXPECT_EQ(replies.value().size(), 3U);
  });
  EXPECT_EQ(server.reads().back(), "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nRSET\r\n");
}

TEST_F(Client, AwaitsEachReplyWherePipeliningIsNotOffered) {
  FakeBackend server({.extensions = {"SIZE"}});
  runner_.run([&]() -> Task<void> {
    ClientConnection client = co_await greeted(runner_.core(), server.endpoint());
    auto replies = co_await client.pipeline({"MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>"});
    EXPECT_EQ(replies.value().size(), 2U);
  });
  EXPECT_EQ(server.reads().back(), "RCPT TO:<c@d.example>\r\n");
}

TEST_F(Client, ThousandsOfPipelinedCommandsDoNotJam) {
  FakeBackend server;
  runner_.run([&]() -> Task<void> {
    ClientConnection client = co_await greeted(runner_.core(), server.endpoint());
    std::vector<std::string> lines{"MAIL FROM:<a@b.example>"};
    for (int i = 0; i < 5000; ++i) lines.push_back("RCPT TO:<somebody" + std::to_string(i) + "@d.example>");
    auto replies = co_await client.pipeline(std::move(lines));
    EXPECT_EQ(replies.value().size(), 5001U);
  });
  EXPECT_EQ(server.count("RCPT"), 5000U);
}

TEST_F(Client, A421AnswersAllThatIsLeft) {
  FakeBackend server;
  server.on("RCPT", "421 4.3.2 shutting down");
  runner_.run([&]() -> Task<void> {
    ClientConnection client = co_await greeted(runner_.core(), server.endpoint());
    auto replies =
        co_await client.pipeline({"MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>", "RCPT TO:<e@d.example>"});
    EXPECT_EQ(replies.value().size(), 3U);
    EXPECT_EQ((*replies)[2].code, 421);
    EXPECT_FALSE(client.is_open());
  });
}

TEST_F(Client, LongRepliesToManyCommandsAreKeptInPart) {
  FakeBackend server;
  std::string wordy;
  for (int line = 0; line < 60; ++line) wordy += "550-5.1.1 " + std::string(900, 'x') + "\r\n";
  server.on("RCPT", wordy + "550 5.1.1 no such user");
  runner_.run([&]() -> Task<void> {
    ClientConnection client = co_await greeted(runner_.core(), server.endpoint());
    std::vector<std::string> lines{"MAIL FROM:<a@b.example>"};
    for (int i = 0; i < 50; ++i) lines.push_back("RCPT TO:<" + std::to_string(i) + "@d.example>");
    const auto replies = co_await client.pipeline(lines);
    EXPECT_TRUE(replies.has_value() && replies->size() == 51);
    for (size_t i = 1; replies && i < replies->size(); ++i) {
      const Reply& reply = (*replies)[i];
      EXPECT_EQ(reply.code, 550);
      EXPECT_EQ(reply.enhanced, (EnhancedStatus{5, 1, 1}));
      EXPECT_EQ(reply.lines.size(), 3U);
      size_t octets = 0;
      for (const auto& line : reply.lines) octets += line.size();
      EXPECT_EQ(octets, 2000U);
    }
  });
}

TEST_F(Client, NeverSendsALineEndInsideACommand) {
  FakeBackend server;
  runner_.run([&]() -> Task<void> {
    ClientConnection client = co_await greeted(runner_.core(), server.endpoint());
    EXPECT_FALSE((co_await client.command("MAIL FROM:<a@b.example>\r\nRCPT TO:<x@y.example>")).has_value());
    EXPECT_FALSE((co_await client.command("NOOP\n")).has_value());
  });
  EXPECT_EQ(server.count("MAIL"), 0U);
}

TEST_F(Client, StuffsDotsAcrossPieces) {
  const std::string expected = ".first\r\n..second\r\nx.\r\n.\r\n...\r\n";
  EXPECT_EQ(through({expected}, false), expected);
  // Cut everywhere, one octet a piece, and with empty pieces between.
  std::vector<std::string_view> octets;
  for (size_t i = 0; i < expected.size(); ++i) {
    octets.push_back(std::string_view(expected).substr(i, 1));
    octets.emplace_back();
  }
  EXPECT_EQ(through(octets, false), expected);
  for (size_t cut = 0; cut <= expected.size(); ++cut) {
    const std::string_view whole = expected;
    EXPECT_EQ(through({whole.substr(0, cut), whole.substr(cut)}, false), expected) << cut;
  }
}

TEST_F(Client, EndsAContentThatLacksItsLineEnd) {
  EXPECT_EQ(through({"abc"}, false), "abc\r\n");
  EXPECT_EQ(through({""}, false), "");
  EXPECT_EQ(through({"abc\r", "\n"}, false), "abc\r\n");
}

TEST_F(Client, BdatSendsWhatIsThere) {
  EXPECT_EQ(through({".a\r\n", ".\r\n", "no end"}, true), ".a\r\n.\r\nno end");
  EXPECT_EQ(through({}, true), "");
}

TEST_F(Client, MillionsOfDotsStayBounded) {
  std::string dots;
  for (int i = 0; i < 1'000'000; ++i) dots += ".\r\n";
  EXPECT_TRUE(through({dots}, false) == dots);  // too long to be printed
  EXPECT_TRUE(through({dots}, true) == dots);
}

TEST_F(Client, RefusedDataSendsNothing) {
  FakeBackend server;
  server.on("DATA", "451 4.3.0 not now");
  runner_.run([&]() -> Task<void> {
    ClientConnection client = co_await greeted(runner_.core(), server.endpoint());
    (void)co_await client.pipeline({"MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>"});
    auto replies = co_await client.data({"hello\r\n"}, 1, false);
    EXPECT_TRUE(replies.has_value());
    EXPECT_EQ(replies->front().code, 451);
    EXPECT_FALSE(client.content_sent());
    EXPECT_EQ((co_await client.command("RSET")).value().code, 250);
  });
}

TEST_F(Client, AStrangePositiveReplyToDataIsAFailure) {
  FakeBackend server;
  server.on("DATA", "250 2.0.0 sure");
  runner_.run([&]() -> Task<void> {
    ClientConnection client = co_await greeted(runner_.core(), server.endpoint());
    (void)co_await client.pipeline({"MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>"});
    EXPECT_FALSE((co_await client.data({"hello\r\n"}, 1, false)).has_value());
  });
  EXPECT_TRUE(server.mails().empty());
}

TEST_F(Client, LmtpAnswersForEachRecipient) {
  FakeBackend server({.lmtp = true});
  server.on("content", "250 2.0.0 stored", 2).on("content", "452 4.2.2 full", 1);
  runner_.run([&]() -> Task<void> {
    ClientConnection client = co_await greeted(runner_.core(), server.endpoint(), true);
    (void)co_await client.pipeline(
        {"MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>", "RCPT TO:<e@d.example>", "RCPT TO:<f@d.example>"});
    auto replies = co_await client.data({"hello\r\n"}, 3, false);
    EXPECT_EQ(replies.value().size(), 3U);
    EXPECT_EQ((*replies)[0].code, 452);
    EXPECT_EQ((*replies)[2].code, 250);
  });
  EXPECT_EQ(server.count("LHLO"), 1U);
}

// Whatever a server says instead of a reply: a failure, in time, and the connection is not used again.
class Nonsense : public Client, public testing::WithParamInterface<const char*> {};

TEST_P(Nonsense, IsACleanFailure) {
  FakeBackend server;
  server.on("NOOP", GetParam());
  runner_.run([&]() -> Task<void> {
    ClientConnection client = co_await greeted(runner_.core(), server.endpoint());
    const auto reply = co_await client.command("NOOP");
    EXPECT_FALSE(reply.has_value());
    EXPECT_FALSE(client.is_open());
  });
}

INSTANTIATE_TEST_SUITE_P(Replies, Nonsense,
                         testing::Values("hello", "25", "999 what", "000 what", "100 what", "250-a\r\n550 b\r\n",
                                         "\r\n", FakeBackend::kClose, FakeBackend::kHang, "250-only begun"));

TEST_F(Client, AReplyWithoutEndIsGivenUp) {
  FakeBackend server;
  std::string flood;
  for (int i = 0; i < 200'000; ++i) flood += "250-more and more\r\n";
  server.on("NOOP", flood);
  runner_.run([&]() -> Task<void> {
    ClientConnection client = co_await greeted(runner_.core(), server.endpoint());
    EXPECT_FALSE((co_await client.command("NOOP")).has_value());
  });
}

TEST_F(Client, SeesWhatComesWhileIdle) {
  FakeBackend server;
  runner_.run([&]() -> Task<void> {
    ClientConnection client = co_await greeted(runner_.core(), server.endpoint());
    EXPECT_FALSE(client.unexpected_input());
    server.blurt("421 4.4.2 idle for too long\r\n");
    co_await runner_.core().sleep(100ms);
    EXPECT_TRUE(client.unexpected_input());
  });
}

class ClientTls : public Client {
 protected:
  ClientTls() {
    const auto base = std::filesystem::temp_directory_path() / ("doorward-client-" + std::to_string(::getpid()));
    files_ = {base.string() + ".pem", base.string() + ".key"};
    const auto made = net::make_self_signed(files_, {"mail.example"}, 2);
    EXPECT_TRUE(made.has_value());
  }
  ~ClientTls() override {
    std::filesystem::remove(files_.certificate_file);
    std::filesystem::remove(files_.key_file);
  }
  net::Certificate files_;
};

TEST_F(ClientTls, ForgetsWhatItLearntInClear) {
  FakeBackend server({.certificate = files_.certificate_file, .key = files_.key_file});
  const auto context = net::TlsClientContext::load(files_.certificate_file);
  ASSERT_TRUE(context.has_value());
  runner_.run([&]() -> Task<void> {
    ClientConnection client = co_await greeted(runner_.core(), server.endpoint());
    EXPECT_TRUE(client.extensions().starttls);
    EXPECT_EQ((co_await client.start_tls(**context, "mail.example")).value().code, 220);
    EXPECT_TRUE(client.connection().is_tls());
    EXPECT_TRUE(client.tls().verified);
    EXPECT_FALSE(client.extensions().pipelining);
    EXPECT_EQ((co_await client.hello("gate.example")).value().code, 250);
    EXPECT_FALSE(client.extensions().starttls);
    EXPECT_TRUE(client.extensions().pipelining);
  });
}

TEST_F(ClientTls, WordsInjectedBeforeTlsEndIt) {
  FakeBackend server({.certificate = files_.certificate_file, .key = files_.key_file});
  server.on("STARTTLS", "220 go\r\n250 injected\r\n");
  const auto context = net::TlsClientContext::load(files_.certificate_file);
  ASSERT_TRUE(context.has_value());
  runner_.run([&]() -> Task<void> {
    ClientConnection client = co_await greeted(runner_.core(), server.endpoint());
    EXPECT_FALSE((co_await client.start_tls(**context, "")).has_value());
    EXPECT_FALSE(client.is_open());
  });
}

}  // namespace
}  // namespace doorward::smtp
