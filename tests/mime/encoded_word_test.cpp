#include "mime/encoded_word.h"

#include <gtest/gtest.h>

#include "mail_text.h"

namespace doorward::mime {
namespace {

struct Case {
  const char* given;
  const char* wanted;
};

class EncodedWord : public ::testing::TestWithParam<Case> {};

TEST_P(EncodedWord, IsReadAsClientsDo) { EXPECT_EQ(decode_words(GetParam().given), GetParam().wanted); }

INSTANTIATE_TEST_SUITE_P(
    Rfc2047, EncodedWord,
    ::testing::Values(
        // RFC 2047 §8
        Case{"(=?ISO-8859-1?Q?a?=)", "(a)"}, Case{"(=?ISO-8859-1?Q?a?= b)", "(a b)"},
        Case{"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"},
        Case{"(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"},
        Case{"(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)", "(ab)"}, Case{"(=?ISO-8859-1?Q?a_b?=)", "(a b)"},
        Case{"(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"},
        Case{"=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n "
             "=?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
             "If you can read this you understand the example."},
        Case{"=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>"},
        Case{"=?ISO-8859-1?Q?Andr=E9?= Pirard", "André Pirard"},
        // a character split over two words, in both encodings
        Case{"=?utf-8?Q?a=C3?= =?utf-8?Q?=A4b?=", "aäb"}, Case{"=?UTF-8?B?YcM=?= =?utf-8?B?pGI=?=", "aäb"},
        // RFC 2231 §5: language
        Case{"=?utf-8*de?q?=C3=A4?=", "ä"},
        // blanks inside, a missing end, an unknown or wrong charset, no word at all
        Case{"=?utf-8?q?a b?=", "a b"}, Case{"=?utf-8?q?abc", "abc"}, Case{"=?no-such?q?=C3=A4?=", "ä"},
        Case{"=?utf-8?q?=E4?=", "ä"}, Case{"=?x?z?y?=", "=?x?z?y?="}, Case{"a =? b", "a =? b"},
        Case{"=?utf-8?q?=ZZ?=", "=ZZ"}, Case{"=?utf-8?b?!w6Q?=", "ä"}, Case{"=?utf-8?q?=C3=A4?=text", "ätext"},
        // unencoded 8-bit: UTF-8, else windows-1252
        Case{"\xc3\xa4", "ä"}, Case{"\xe4\x80", "ä€"}, Case{"\xc3\xa4 =?utf-8?q?x?=", "ä x"},
        // other charsets
        Case{"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"}, Case{"=?koi8-r?B?8NLJ18XU?=", "Привет"},
        Case{"=?gb2312?B?1tDOxA==?=", "中文"}, Case{"=?big5?B?pKSk5Q==?=", "中文"}, Case{"=?utf-7?q?+AOQ-?=", "ä"},
        Case{"\x1b$BF|K\\\x1b(B", "日本"},
        // no controls come out, whatever was encoded
        Case{"=?utf-8?q?a=0D=0ABcc:_x=00?=", "aBcc: x"}, Case{"a\r\n\tb", "a b"}));

TEST(EncodedWordLimits, ManyUnclosedWordsAreReadInLinearTime) {
  const std::string hostile = testing::repeated("=?utf-8?q?a", 1 << 20);
  EXPECT_FALSE(decode_words(hostile).empty());  // a quadratic reader takes minutes here
}

}  // namespace
}  // namespace doorward::mime
