#include <gtest/gtest.h>

#include "mail_text.h"
#include "mime/message.h"

namespace doorward::mime {
namespace {

using testing::lines;
using testing::odd;
using testing::repeated;
using testing::shown;

TEST(Headers, OffsetsCoverTheFieldWithItsLineEnd) {
  const std::string raw = lines({"From: a@example.com", "Subject: one", " two", "", "body"});
  const Message message = Message::parse(raw);
  ASSERT_EQ(message.headers().fields().size(), 2U);
  const Header& subject = message.headers().fields()[1];
  EXPECT_EQ(raw.substr(subject.offset, subject.length), "Subject: one\r\n two\r\n");
  EXPECT_EQ(subject.value, " one\r\n two");
  EXPECT_EQ(message.headers().unfolded("SUBJECT"), "one two");
  EXPECT_EQ(message.subject(), "one two");
  EXPECT_EQ(shown(message), "body");
}

TEST(Headers, BareLineFeedsAreRead) {
  const std::string raw = "A: 1\nB: 2\n\nbody\n";
  const Message message = Message::parse(raw);
  EXPECT_EQ(message.headers().unfolded("b"), "2");
  EXPECT_EQ(message.headers().fields()[0].length, 5U);
  EXPECT_EQ(shown(message), "body");
}

TEST(Headers, MboxLineInFrontIsPassedOver) {
  const std::string raw = "From someone Mon Jan  1 00:00:00 2024\nSubject: x\n\nbody";
  EXPECT_EQ(Message::parse(raw).subject(), "x");
  EXPECT_EQ(Message::parse(raw).headers().fields()[0].offset, raw.find("Subject"));
}

TEST(Headers, SpaceBeforeColon) {
  const std::string raw = lines({"Subject : x", "", "b"});
  const Message message = Message::parse(raw);
  EXPECT_EQ(message.subject(), "x");
  EXPECT_TRUE(odd(message, "space_before_colon"));
}

TEST(Headers, LineThatIsNoFieldIsPassedOverBetweenFields) {
  const std::string raw = lines({"A: 1", "what is this", "Subject: x", "", "b"});
  const Message message = Message::parse(raw);
  EXPECT_EQ(message.subject(), "x");
  EXPECT_TRUE(odd(message, "malformed_header_line"));
  EXPECT_EQ(shown(message), "b");
}

TEST(Headers, BodyWithoutEmptyLine) {
  const std::string raw = lines({"Subject: x", "Hello there", "all of you"});
  const Message message = Message::parse(raw);
  EXPECT_TRUE(odd(message, "missing_empty_line"));
  EXPECT_EQ(shown(message), "Hello there\nall of you");
}

TEST(Headers, BrokenLineBeforeContentTypeGivesBothReadings) {
  const std::string raw = lines({"Subject: x", "broken", "Content-Type: text/html", "", "<b>bold</b>"});
  const Message message = Message::parse(raw);
  ASSERT_EQ(message.parts().size(), 2U);
  EXPECT_EQ(message.parts()[0].subtype, "html");
  EXPECT_EQ(message.parts()[1].subtype, "plain");
  EXPECT_TRUE(message.parts()[1].alternative_reading);
  EXPECT_EQ(message.texts()[0].visible, "bold");
  EXPECT_NE(message.texts()[1].visible.find("<b>bold</b>"), std::string::npos);
}

TEST(Headers, OnlyHeaders) {
  const std::string raw = "Subject: x";
  const Message message = Message::parse(raw);
  EXPECT_EQ(message.subject(), "x");
  EXPECT_TRUE(message.parts()[0].body.empty());
}

TEST(Headers, EmptyMessageHasOnePart) {
  const Message message = Message::parse("");
  ASSERT_EQ(message.parts().size(), 1U);
  EXPECT_TRUE(message.headers().fields().empty());
  EXPECT_TRUE(message.texts().empty());
}

TEST(Headers, FoldedFirstLine) {
  const std::string raw = lines({" folded", "Subject: x", "", "b"});
  const Message message = Message::parse(raw);
  EXPECT_EQ(message.subject(), "x");
  EXPECT_TRUE(odd(message, "continuation_without_field"));
}

TEST(Headers, NulLoneCrAnd8Bit) {
  const std::string raw = std::string("A: x") + '\0' + "y\r\nB: a\rb\r\nC: \xc3\xa4\r\nD: \xe4\r\n\r\n";
  const Message message = Message::parse(raw);
  EXPECT_TRUE(odd(message, "nul_byte"));
  EXPECT_TRUE(odd(message, "lone_cr"));
  EXPECT_TRUE(odd(message, "raw_8bit_header"));
  EXPECT_EQ(message.headers().text("c"), "ä");
  EXPECT_EQ(message.headers().text("d"), "ä");
  EXPECT_EQ(message.headers().text("a"), "xy");
}

TEST(Headers, EmptyName) {
  const std::string raw = lines({": x", "Subject: y", "", ""});
  EXPECT_TRUE(odd(Message::parse(raw), "empty_header_name"));
}

TEST(Headers, LimitsHold) {
  Limits limits;
  limits.header_fields = 10;
  const std::string many = repeated("a: b\r\n", 100'000) + "\r\nbody";
  const Message message = Message::parse(many, limits);
  EXPECT_EQ(message.headers().fields().size(), 10U);
  EXPECT_TRUE(odd(message, "header_fields_limit"));
  EXPECT_EQ(shown(message), "body");
  limits.header_bytes = 50;
  limits.header_fields = 1000;
  const Message bytes = Message::parse(many, limits);
  EXPECT_LE(bytes.headers().fields().size(), 9U);
  EXPECT_TRUE(odd(bytes, "header_bytes_limit"));
}

TEST(Headers, CountAndFindCompareWithoutCase) {
  const std::string raw = lines({"TO: a", "to: b", "", ""});
  const Message message = Message::parse(raw);
  EXPECT_EQ(message.headers().count("To"), 2U);
  EXPECT_EQ(message.headers().find("tO")->value, " a");
  EXPECT_EQ(message.headers().find("cc"), nullptr);
}

}  // namespace
}  // namespace doorward::mime
