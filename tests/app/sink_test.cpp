#include "app/sink.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "delivery/core_runner.h"
#include "smtp/client.h"

namespace doorward::app {
namespace {

using namespace std::chrono_literals;
using test::CoreRunner;

class SinkTest : public testing::Test {
 protected:
  SinkTest() : directory_(std::filesystem::temp_directory_path() / ("doorward-sink-" + std::to_string(::getpid()))) {}
  ~SinkTest() override { std::filesystem::remove_all(directory_); }

  SinkOptions options(bool lmtp) const {
    SinkOptions chosen;
    chosen.listen = net::Endpoint::parse("127.0.0.1:0").value();
    chosen.maildir = directory_ / "mail";
    chosen.lmtp = lmtp;
    return chosen;
  }

  // One mail to two recipients; the last replies.
  std::vector<smtp::Reply> send(const net::Endpoint& to, bool lmtp, bool bdat) {
    std::vector<smtp::Reply> last;
    runner_.run([&]() -> Task<void> {
      auto connection = co_await net::Connection::connect(runner_.core(), to, 2s);
      if (!connection) {
        ADD_FAILURE() << connection.error().detail;
        co_return;
      }
      smtp::ClientConnection client(std::move(*connection), lmtp, {5s, 5s, 5s, 5s, 5s});
      EXPECT_EQ((co_await client.greeting()).value().code, 220);
      EXPECT_EQ((co_await client.hello("client.example")).value().code, 250);
      EXPECT_TRUE(client.extensions().pipelining && client.extensions().chunking && client.extensions().eight_bit_mime);
      auto replies =
          co_await client.pipeline({"MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>", "RCPT TO:<e@d.example>"});
      EXPECT_EQ(replies.value().back().code, 250);
      auto ends = co_await client.data({"Subject: x\r\n\r\n", ".dot\r\n"}, 2, bdat);
      EXPECT_TRUE(ends.has_value());
      if (ends) last = std::move(*ends);
      co_await client.quit();
    });
    return last;
  }

  std::vector<std::string> stored() const {
    std::vector<std::string> mails;
    for (const auto& file : std::filesystem::directory_iterator(directory_ / "mail" / "new")) {
      std::stringstream text;
      text << std::ifstream(file.path(), std::ios::binary).rdbuf();
      mails.push_back(text.str());
    }
    return mails;
  }

  static bool is_empty(const std::filesystem::path& directory) {
    return std::filesystem::directory_iterator(directory) == std::filesystem::directory_iterator();
  }

  CoreRunner runner_;
  std::filesystem::path directory_;
};

TEST_F(SinkTest, StoresWhatItGets) {
  const auto sink = Sink::start(options(false));
  ASSERT_TRUE(sink.has_value());
  for (const bool bdat : {false, true}) {
    const auto replies = send((*sink)->address(), false, bdat);
    ASSERT_EQ(replies.size(), 1U);
    EXPECT_EQ(replies[0].code, 250);
  }
  EXPECT_EQ((*sink)->mails(), 2U);
  const auto mails = stored();
  ASSERT_EQ(mails.size(), 2U);
  for (const std::string& mail : mails) {
    EXPECT_TRUE(
        mail.starts_with("Return-Path: <a@b.example>\r\n"
                         "Delivered-To: c@d.example\r\nDelivered-To: e@d.example\r\n"))
        << mail;
    EXPECT_TRUE(mail.ends_with("Subject: x\r\n\r\n.dot\r\n")) << mail;
  }
  EXPECT_TRUE(is_empty(directory_ / "mail" / "tmp"));
}

TEST_F(SinkTest, LmtpRepliesForEachRecipient) {
  const auto sink = Sink::start(options(true));
  ASSERT_TRUE(sink.has_value());
  EXPECT_EQ(send((*sink)->address(), true, false).size(), 2U);
  EXPECT_EQ(stored().size(), 1U);
}

TEST_F(SinkTest, CountsWithoutAMaildir) {
  SinkOptions counting = options(false);
  counting.maildir.clear();
  const auto sink = Sink::start(std::move(counting));
  ASSERT_TRUE(sink.has_value());
  EXPECT_EQ(send((*sink)->address(), false, true).at(0).code, 250);
  EXPECT_EQ((*sink)->mails(), 1U);
  EXPECT_FALSE(std::filesystem::exists(directory_));
}

TEST_F(SinkTest, AMailThatCannotBeStoredIsPutOff) {
  const auto sink = Sink::start(options(false));
  ASSERT_TRUE(sink.has_value());
  std::filesystem::remove_all(directory_ / "mail" / "tmp");
  EXPECT_EQ(send((*sink)->address(), false, false).at(0).code, 451);
  EXPECT_EQ((*sink)->mails(), 0U);
}

TEST_F(SinkTest, SaysWhyItCannotStart) {
  SinkOptions wrong = options(false);
  wrong.maildir = "/proc/nowhere";
  const auto sink = Sink::start(std::move(wrong));
  ASSERT_FALSE(sink.has_value());
  EXPECT_NE(sink.error().text().find("/proc/nowhere"), std::string::npos);
}

}  // namespace
}  // namespace doorward::app
