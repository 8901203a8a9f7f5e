#include "smtp/reply.h"

#include <gtest/gtest.h>

#include <string>

#include "smtp/reply_parser.h"

namespace doorward::smtp {
namespace {

using std::string_literals::operator""s;

TEST(Reply, OneLine) {
  EXPECT_EQ(Reply(220, "mx.example ESMTP").wire(), "220 mx.example ESMTP\r\n");
  EXPECT_EQ(Reply(550, EnhancedStatus{5, 7, 1}, "No").wire(), "550 5.7.1 No\r\n");
  EXPECT_EQ(Reply().wire(), "000 \r\n");
}

TEST(Reply, EveryLineHasTheEnhancedCode) {
  Reply reply(550, EnhancedStatus{5, 7, 1}, "first");
  reply.lines.emplace_back("second");
  EXPECT_EQ(reply.wire(), "550-5.7.1 first\r\n550 5.7.1 second\r\n");
}

TEST(Reply, NothingInItsTextCanBeAnotherReply) {
  EXPECT_EQ(Reply(250, "a\r\n250 b").wire(), "250 a??250 b\r\n");
  EXPECT_EQ(Reply(250, "a\0b\x7F\x1B"s).wire(), "250 a?b??\r\n");
  EXPECT_EQ(Reply(250, "a\tb").wire(), "250 a\tb\r\n");
  EXPECT_EQ(Reply(250,
                  "gr\xC3\xBC\xC3\x9F"
                  "e \xFF")
                .wire(),
            "250 gr\xC3\xBC\xC3\x9F"
            "e ?\r\n");
}

TEST(Reply, LongTextsGoOnInLinesOf512Octets) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "word" + std::to_string(i) + " ";
  text += std::string(2000, 'x') + "\xE4\xBE\x8B";
  const std::string wire = Reply(550, EnhancedStatus{5, 7, 1}, text).wire();
  std::string together;
  size_t begin = 0;
  while (begin < wire.size()) {
    const size_t end = wire.find("\r\n", begin) + 2;
    ASSERT_LE(end - begin, 512U);
    const bool last = end == wire.size();
    EXPECT_EQ(wire.substr(begin, 10), last ? "550 5.7.1 " : "550-5.7.1 ");
    together += wire.substr(begin + 10, end - begin - 12);
    begin = end;
  }
  const auto without_spaces = [](std::string s) { return std::erase(s, ' '), s; };
  EXPECT_EQ(without_spaces(together), without_spaces(text));
}

// Feeds `bytes` in pieces; the replies as "code enhanced line|line", or "broken".
std::string parse(std::string_view bytes, size_t piece) {
  ReplyParser parser;
  std::string result;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    std::string_view left = bytes.substr(at, piece);
    while (!left.empty()) {
      size_t consumed = 0;
      const auto status = parser.feed(left, consumed);
      left.remove_prefix(consumed);
      if (status == ReplyParser::Status::broken) return result + "broken";
      if (status == ReplyParser::Status::need_more) break;
      const Reply reply = parser.take();
      result += std::to_string(reply.code) + " " + std::to_string(reply.enhanced.klass) +
                std::to_string(reply.enhanced.subject) + std::to_string(reply.enhanced.detail);
      for (const auto& line : reply.lines) result += "|" + line;
      result += ";";
    }
  }
  return result + (parser.idle() ? "" : "unfinished");
}

TEST(ReplyParser, RepliesHoweverTheyAreCut) {
  const std::string bytes =
      "220 mx.example ESMTP\r\n250-mx.example\r\n250-SIZE 1000\r\n250 PIPELINING\r\n"
      "550-5.1.1 No such\r\n550 5.1.1 user\r\n250\r\n354 go on\n421 4.3.2 bye";
  for (const size_t piece : {1U, 2U, 7U, 1000U}) {
    EXPECT_EQ(parse(bytes, piece),
              "220 000|mx.example ESMTP;250 000|mx.example|SIZE 1000|PIPELINING;550 511|No such|user;250 000|;"
              "354 000|go on;unfinished")
        << piece;
  }
}

TEST(ReplyParser, EnhancedCodesOnlyWhereTheyAreSome) {
  EXPECT_EQ(parse("250 2.0.0\r\n", 100), "250 200|;");
  EXPECT_EQ(parse("550 4.1.1 x\r\n", 100), "550 000|4.1.1 x;");  // another class
  EXPECT_EQ(parse("550 5.1.1x\r\n", 100), "550 000|5.1.1x;");
  EXPECT_EQ(parse("550 5.1 x\r\n", 100), "550 000|5.1 x;");
  EXPECT_EQ(parse("550 5.1000.1 x\r\n", 100), "550 000|5.1000.1 x;");
  EXPECT_EQ(parse("550 5.01.1 x\r\n", 100), "550 000|5.01.1 x;");
  EXPECT_EQ(parse("354 3.0.0 x\r\n", 100), "354 000|3.0.0 x;");
}

TEST(ReplyParser, NonsenseIsBroken) {
  for (const std::string& bytes :
       {"\r\n"s, "hello\r\n"s, "25\r\n"s, "250x\r\n"s, "150 x\r\n"s, "600 x\r\n"s, "199 x\r\n"s, "250-a\r\n251 b\r\n"s,
        "250-a\r\n\r\n"s, "HTTP/1.1 400 Bad Request\r\n"s, " 250 x\r\n"s, "-50 x\r\n"s}) {
    EXPECT_EQ(parse(bytes, 3), "broken") << bytes;
    EXPECT_EQ(parse(bytes, 1000), "broken") << bytes;
  }
}

TEST(ReplyParser, Bounds) {
  EXPECT_EQ(parse("250 " + std::string(ReplyParser::kMaxLine - 4, 'a') + "\r\n", 100).substr(0, 7), "250 000");
  EXPECT_EQ(parse("250 " + std::string(ReplyParser::kMaxLine - 3, 'a') + "\r\n", 100), "broken");
  EXPECT_EQ(parse(std::string(5000, '2'), 100), "broken");
  std::string many;
  for (size_t i = 0; i + 1 < ReplyParser::kMaxLines; ++i) many += "250-x\r\n";
  EXPECT_NE(parse(many + "250 x\r\n", 1000), "broken");
  EXPECT_EQ(parse(many + "250-x\r\n250 x\r\n", 1000), "broken");
  std::string large;
  for (int i = 0; i < 40; ++i) large += "250-" + std::string(2000, 'a') + "\r\n";
  EXPECT_EQ(parse(large, 1000), "broken");
}

TEST(ReplyParser, TakesNothingAfterItBroke) {
  ReplyParser parser;
  size_t consumed = 0;
  EXPECT_EQ(parser.feed("nonsense\r\n", consumed), ReplyParser::Status::broken);
  EXPECT_FALSE(parser.why().empty());
  EXPECT_EQ(parser.feed("250 ok\r\n", consumed), ReplyParser::Status::broken);
}

}  // namespace
}  // namespace doorward::smtp
