#include "mime/transfer.h"

#include <gtest/gtest.h>

namespace doorward::mime {
namespace {

std::string base64(std::string_view text, TransferFlaws* flaws = nullptr) {
  std::string out;
  const TransferFlaws met = decode_base64(text, out);
  if (flaws != nullptr) *flaws = met;
  return out;
}

std::string quoted(std::string_view text) {
  std::string out;
  decode_quoted_printable(text, out);
  return out;
}

TEST(Base64, Rfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("Zg=="), "f");
  EXPECT_EQ(base64("Zm8="), "fo");
  EXPECT_EQ(base64("Zm9v"), "foo");
  EXPECT_EQ(base64("Zm9vYmFy"), "foobar");
}

TEST(Base64, Tolerant) {
  TransferFlaws flaws;
  EXPECT_EQ(base64("Zm\r\n9 v\tYmFy\r\n", &flaws), "foobar");
  EXPECT_FALSE(flaws.junk);
  EXPECT_EQ(base64("Zm9!vYm*Fy", &flaws), "foobar");
  EXPECT_TRUE(flaws.junk);
  EXPECT_EQ(base64("Zm8"), "fo");
  EXPECT_EQ(base64("Zg"), "f");
  EXPECT_EQ(base64("Zm9vY", &flaws), "foo");
  EXPECT_TRUE(flaws.truncated);
  EXPECT_EQ(base64("Zm8=\r\nZm9v\r\nZg==", &flaws), "fofoof");
  EXPECT_TRUE(flaws.after_padding);
}

TEST(Base64, Limit) {
  std::string out = "x";
  decode_base64("Zm9vYmFy", out, 4);
  EXPECT_EQ(out, "xfoob");
}

TEST(QuotedPrintable, Lines) {
  EXPECT_EQ(quoted("a=E4b"),
            "a\xe4"
            "b");
  EXPECT_EQ(quoted("a=\r\nb"), "ab");
  EXPECT_EQ(quoted("a=\nb"), "ab");
  EXPECT_EQ(quoted("a=  \r\nb"), "ab");
  EXPECT_EQ(quoted("a  \r\nb\r\n"), "a\r\nb\r\n");
  EXPECT_EQ(quoted("a=20\r\n"), "a \r\n");
  EXPECT_EQ(quoted("=3d=3D"), "==");
  EXPECT_EQ(quoted("100=% =G1 ="), "100=% =G1 ");
}

TEST(Uuencode, Block) {
  std::string out;
  decode_uuencode("begin 644 cat.txt\n#0V%T\n`\nend\n", out);
  EXPECT_EQ(out, "Cat");
  UuBlock block;
  const std::string_view text = "hello\nbegin of something\nbegin 644 cat.txt\r\n#0V%T\r\n`\r\nend\r\nbye\n";
  ASSERT_TRUE(find_uu_block(text, 0, block));
  EXPECT_EQ(block.name, "cat.txt");
  EXPECT_EQ(text.substr(block.end), "bye\n");
  EXPECT_FALSE(find_uu_block(text, block.end, block));
}

TEST(EncodingName, Variants) {
  EXPECT_EQ(encoding_of("BASE64"), Encoding::base64);
  EXPECT_EQ(encoding_of(" \"base64\" ; "), Encoding::base64);
  EXPECT_EQ(encoding_of("quoted-printable (comment)"), Encoding::quoted_printable);
  EXPECT_EQ(encoding_of("8bit"), Encoding::identity);
  EXPECT_EQ(encoding_of("x-uuencode"), Encoding::uuencode);
  EXPECT_EQ(encoding_of("yenc"), Encoding::unknown);
}

TEST(EncodingName, CommentsAnywhere) {  // RFC 2045 §5.1
  EXPECT_EQ(encoding_of("(x) base64 (y)"), Encoding::base64);
  EXPECT_EQ(encoding_of("(x)base64"), Encoding::base64);
  EXPECT_EQ(encoding_of("(a (b) \\) c)\r\n quoted-printable(d)(e)"), Encoding::quoted_printable);
  EXPECT_EQ(encoding_of("(base64)"), Encoding::identity);
  EXPECT_EQ(encoding_of("base64 (never closed"), Encoding::base64);
  EXPECT_EQ(encoding_of("(never closed base64"), Encoding::unknown);
}

std::vector<Encoding> encodings(std::string_view value) {
  std::vector<Encoding> all;
  add_encodings(value, all);
  return all;
}

TEST(EncodingName, WhatOtherReadersMayTakeItFor) {
  using All = std::vector<Encoding>;
  EXPECT_EQ(encodings("base64"), All{Encoding::base64});
  EXPECT_EQ(encodings(" 8BIT "), All{Encoding::identity});
  EXPECT_EQ(encodings("yenc"), All{Encoding::unknown});
  for (const char* value : {"base64 foo", "base64,7bit", "x;base64", "foo base64", "ba(x)se64", "(never closed base64"})
    EXPECT_EQ(encodings(value), (All{Encoding::unknown, Encoding::base64})) << value;
  for (const char* value : {"\"base64\"", "(x) base64", "base64;"})
    EXPECT_EQ(encodings(value), (All{Encoding::base64, Encoding::identity})) << value;
  EXPECT_EQ(encodings("7bit (base64)"), (All{Encoding::identity, Encoding::base64}));
  EXPECT_EQ(encodings("quoted-printable, base64, uuencode, base64").size(), 4U);
}

}  // namespace
}  // namespace doorward::mime
