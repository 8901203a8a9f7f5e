#include "mime/parameters.h"

#include <gtest/gtest.h>

#include <chrono>

#include "mail_text.h"

namespace doorward::mime {
namespace {

std::string value_of(std::string_view field, std::string_view name) {
  const ContentField read = read_content_field(field);
  const Parameter* parameter = read.find(name);
  return parameter == nullptr ? "(none)" : parameter->value;
}

TEST(Parameters, Quoted) {
  EXPECT_EQ(read_content_field(" Text/HTML; Charset=\"utf-8\"").main, "text/html");
  EXPECT_EQ(value_of("text/html; Charset=\"utf-8\"", "charset"), "utf-8");
  EXPECT_EQ(value_of("a/b; x=\"a;b\\\"c\"; y=1", "x"), "a;b\"c");
  EXPECT_EQ(value_of("a/b; x=\"a;b\\\"c\"; y=1", "y"), "1");
  EXPECT_EQ(value_of("a/b; name=\"C:\\temp\\x.txt\"", "name"), "C:\\temp\\x.txt");
}

TEST(Parameters, Tolerant) {
  EXPECT_EQ(value_of("a/b; filename=my file (1).exe; x=y", "filename"), "my file (1).exe");
  EXPECT_EQ(value_of("a/b; boundary=\"abc", "boundary"), "abc");
  EXPECT_EQ(value_of("a/b; boundary=\"abc; charset=x", "charset"), "x");
  EXPECT_EQ(value_of("text/html charset=utf-8", "charset"), "utf-8");
  EXPECT_EQ(read_content_field("text/html charset=utf-8").main, "text/html");
  EXPECT_EQ(value_of("text/html; charset=utf-8 boundary=x", "boundary"), "x");
  EXPECT_EQ(value_of("text/html;;; charset = utf-8 ;", "charset"), "utf-8");
  EXPECT_EQ(read_content_field("text (comment) / plain (x); a=b").main, "text/plain");
  EXPECT_EQ(value_of("text/plain; (comment) a=b", "a"), "b");
  EXPECT_EQ(value_of("charset=utf-8", "charset"), "utf-8");
  EXPECT_TRUE(read_content_field("text/plain; charset=\"x").malformed);
}

TEST(Parameters, Rfc2231) {
  EXPECT_EQ(value_of("a/b; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", "title"), "This is ***fun***");
  EXPECT_EQ(value_of("a/b; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; "
                     "title*2=\"isn't it!\"",
                     "title"),
            "This is even more ***fun*** isn't it!");
  EXPECT_EQ(value_of("a/b; f*1=b; f*0=a; f*10=d; f*2=c", "f"), "abcd");
  EXPECT_EQ(value_of("a/b; f*0*=utf-8''%C3; f*1*=%A4", "f"), "ä");
  EXPECT_EQ(value_of("a/b; f*=iso-8859-1''%E4", "f"), "ä");
  EXPECT_EQ(value_of("a/b; f*=%C3%A4", "f"), "ä");
  EXPECT_EQ(value_of("a/b; f*=utf-8''100%", "f"), "100%");
}

// Each comment that is never closed, and each blank of a long run, used to cost the rest of the field: seconds.
TEST(Parameters, UnclosedCommentsAndBlanksTakeLinearTime) {
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    read_content_field(testing::repeated("(", 64 * 1024));
    read_content_field("a/b; " + testing::repeated("(", 64 * 1024));
    read_content_field("(x)" + testing::repeated(" ", 60 * 1024) + "a/b");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(2));
  EXPECT_EQ(read_content_field("(x)" + testing::repeated(" ", 1024) + "a/b").main, "a/b");
  EXPECT_EQ(read_content_field("( (x) a/b").main, "a/b");
}

TEST(Parameters, ManyAreCut) {
  const ContentField field = read_content_field("a/b" + testing::repeated("; x=y", 50'000));
  EXPECT_LE(field.parameters.size(), 64U);
}

}  // namespace
}  // namespace doorward::mime
