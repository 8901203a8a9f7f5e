#include "mime/charset.h"

#include <gtest/gtest.h>

namespace doorward::mime {
namespace {

std::string utf8(std::string_view bytes, std::string_view charset, Conversion* conversion = nullptr) {
  std::string out;
  const Conversion made = append_utf8(bytes, charset, out);
  if (conversion != nullptr) *conversion = made;
  return out;
}

TEST(Charset, Common) {
  EXPECT_EQ(utf8("gr\xc3\xbc\xc3\x9f", "UTF-8"), "grüß");
  EXPECT_EQ(utf8("gr\xfc\xdf \x80", "iso-8859-1"), "grüß €");
  EXPECT_EQ(utf8("\xf0\xd2\xc9\xd7\xc5\xd4", "koi8-r"), "Привет");
  EXPECT_EQ(utf8("\xcf\xf0\xe8\xe2\xe5\xf2", "windows-1251"), "Привет");
  EXPECT_EQ(utf8("\xcf\xf0\xe8\xe2\xe5\xf2", "CP-1251"), "Привет");
  EXPECT_EQ(utf8("\x93\xfa\x96\x7b", "Shift_JIS"), "日本");
  EXPECT_EQ(utf8("\x1b$BF|K\\\x1b(B", "iso-2022-jp"), "日本");
  EXPECT_EQ(utf8("\xd6\xd0", "gb2312"), "中");
  EXPECT_EQ(utf8("\xc7\xd1", "ks_c_5601-1987"), "한");
  EXPECT_EQ(utf8("Hi Mom +Jjo-!", "utf-7"), "Hi Mom ☺!");
}

TEST(Charset, Utf16WithAndWithoutMark) {
  using namespace std::string_view_literals;
  EXPECT_EQ(utf8("\xff\xfe"
                 "a\0\xe4\0"sv,
                 "utf-16"),
            "aä");
  EXPECT_EQ(utf8("\0a\0b"sv, "utf-16"), "ab");
  EXPECT_EQ(utf8("a\0b\0"sv, "utf-16"), "ab");
  EXPECT_EQ(utf8("\x3d\xd8\x00\xde"sv, "utf-16le"), "😀");
}

TEST(Charset, WrongDeclarations) {
  Conversion conversion;
  EXPECT_EQ(utf8("gr\xfc\xdf", "utf-8", &conversion), "grüß");
  EXPECT_TRUE(conversion.declared_wrong);
  EXPECT_EQ(utf8("gr\xc3\xbc\xdf", "utf-8"), "grüß");  // one broken byte does not spoil the others
  EXPECT_EQ(utf8("gr\xc3\xbc", "no-such-charset", &conversion), "grü");
  EXPECT_TRUE(conversion.unknown_charset);
  EXPECT_EQ(utf8("gr\xfc", ""), "grü");
  EXPECT_EQ(utf8("gr\xfc", "us-ascii"), "grü");
  EXPECT_EQ(utf8("\xef\xbb\xbfgr\xc3\xbc", "iso-8859-1"), "grü");
  EXPECT_EQ(utf8("x", "a,b,c"), "x");
}

TEST(Charset, ResultIsAlwaysUtf8) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.append({static_cast<char>(i), static_cast<char>(255 - i)});
  for (const char* charset : {"", "utf-8", "latin1", "big5", "gb18030", "euc-jp", "iso-2022-kr", "hz-gb-2312", "utf-7",
                              "utf-16", "utf-32", "ibm037", "windows-1253", "bocu-1", "scsu", "nonsense"}) {
    EXPECT_TRUE(valid_utf8(utf8(all, charset))) << charset;
  }
}

TEST(Charset, LongTextKeepsSurrogatePairsOverChunks) {
  std::string wide = "x";
  wide.push_back('\0');
  std::string wanted = "x";
  for (int i = 0; i < 3000; ++i) {
    wide.append("\x3d\xd8\x00\xde", 4);
    wanted += "😀";
  }
  EXPECT_EQ(utf8(wide, "utf-16le"), wanted);
}

}  // namespace
}  // namespace doorward::mime
