#include "smtp/text_scanner.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace doorward::smtp {
namespace {

using namespace std::string_literals;
using Form = TextScanner::Form;

struct Result {
  std::string text;
  size_t used = 0;
  bool ended = false;
  TextFault fault = TextFault::none;
};

// Scans `input` in pieces of `piece` octets.
Result scan(std::string_view input, size_t piece, Form form = Form::dotted, size_t line = 1000,
            uint64_t largest = 1 << 20) {
  TextScanner scanner(form, line, largest);
  Result result;
  while (result.used < input.size() && !scanner.ended()) {
    const std::string_view part = input.substr(result.used, piece);
    size_t done = 0;
    while (done < part.size() && !scanner.ended()) {
      const auto step = scanner.next(part.substr(done));
      EXPECT_GT(step.used, 0U);
      result.text += step.text;
      done += step.used;
    }
    result.used += done;
  }
  result.ended = scanner.ended();
  result.fault = scanner.fault();
  return result;
}

TEST(TextScanner, UndoesDotsAndFindsTheEnd) {
  const std::string wire = "a: b\r\n\r\n..x\r\n...\r\ny.\r\n.z\r\n.\r\nMAIL";
  for (size_t piece = 1; piece <= wire.size(); ++piece) {
    const Result result = scan(wire, piece);
    EXPECT_TRUE(result.ended);
    EXPECT_EQ(result.used, wire.size() - 4);
    EXPECT_EQ(result.text, "a: b\r\n\r\n.x\r\n..\r\ny.\r\nz\r\n");
    EXPECT_EQ(result.fault, TextFault::none);
  }
}

TEST(TextScanner, AnEmptyMessageEndsAtOnce) {
  const Result result = scan(".\r\n", 1);
  EXPECT_TRUE(result.ended);
  EXPECT_EQ(result.text, "");
}

TEST(TextScanner, NothingElseIsAnEnd) {
  for (const std::string& false_end : {"\n.\n"s, "\n.\r"s, "\r.\n"s, "\r.\r"s, "\n.\r\n"s, "\r.\r\n"s, "\r\n\0.\r\n"s,
                                       "\r\n.\n"s, "\r\n.\r"s, "\r\n.\0\r\n"s, "\r\n.\r\0\n"s, "\r\n .\r\n"s}) {
    for (size_t piece : {1U, 2U, 3U, 100U}) {
      EXPECT_FALSE(scan("x" + false_end + "y", piece).ended) << testing::PrintToString(false_end);
      EXPECT_TRUE(scan("x" + false_end + "y\r\n.\r\n", piece).ended) << testing::PrintToString(false_end);
    }
  }
}

TEST(TextScanner, FaultsAreFoundWhereverThePiecesEnd) {
  struct Case {
    std::string wire;
    TextFault fault;
  };
  for (const Case& one :
       {Case{"a\rb\r\n", TextFault::bare_cr}, Case{"a\nb\r\n", TextFault::bare_lf}, Case{"a\r\r\n", TextFault::bare_cr},
        Case{".\n", TextFault::bare_lf}, Case{".\ra\r\n", TextFault::bare_cr},
        Case{"a\0b\r\n"s, TextFault::nul_in_header}, Case{"a: b\r\n\r\n\0\r\n"s, TextFault::none},
        Case{"a: b\r\n.\0\r\n"s, TextFault::nul_in_header}, Case{std::string(998, 'x') + "\r\n", TextFault::none},
        Case{std::string(999, 'x') + "\r\n", TextFault::long_line}}) {
    for (size_t piece : {1U, 2U, 3U, 7U, 5000U}) {
      EXPECT_EQ(scan(one.wire, piece).fault, one.fault) << testing::PrintToString(one.wire.substr(0, 20)) << piece;
    }
  }
}

TEST(TextScanner, TheLimitCountsTheMessageItself) {
  EXPECT_EQ(scan("..234\r\n.\r\n", 3, Form::dotted, 1000, 6).fault, TextFault::none);
  EXPECT_EQ(scan("..2345\r\n.\r\n", 3, Form::dotted, 1000, 6).fault, TextFault::too_large);
}

TEST(TextScanner, ChunksHaveNoDots) {
  const std::string text = ".\r\n..\r\na";
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    const Result result = scan(text, piece, Form::chunks);
    EXPECT_FALSE(result.ended);
    EXPECT_EQ(result.text, text);
    EXPECT_EQ(result.fault, TextFault::none);
  }
  TextScanner scanner(Form::chunks, 1000, 1000);
  static_cast<void>(scanner.next("a\r"));
  EXPECT_TRUE(scanner.end_of_chunks());
  EXPECT_EQ(scanner.fault(), TextFault::bare_cr);
}

// An octet at a time, as simple as can be.
Result plainly(std::string_view input) {
  Result result;
  std::string line;
  for (char octet : input) {
    ++result.used;
    line += octet;
    if (!line.ends_with("\r\n")) continue;
    if (line == ".\r\n") {
      result.ended = true;
      return result;
    }
    result.text += line.starts_with('.') ? line.substr(1) : line;
    line.clear();
  }
  result.text += line;
  return result;
}

TEST(TextScanner, AgreesWithThePlainReadingOfAnything) {
  std::mt19937 random(7);
  constexpr std::string_view kOctets = "\r\n\r\n..ab";
  for (int round = 0; round < 20'000; ++round) {
    std::string wire;
    for (size_t i = random() % 24; i > 0; --i) wire += kOctets[random() % kOctets.size()];
    const Result expected = plainly(wire);
    for (size_t piece : {1U, 2U, 5U, 100U}) {
      const Result result = scan(wire, piece);
      ASSERT_EQ(result.ended, expected.ended) << testing::PrintToString(wire);
      ASSERT_EQ(result.used, expected.used) << testing::PrintToString(wire);
      if (result.ended && result.fault == TextFault::none) {
        ASSERT_EQ(result.text, expected.text) << testing::PrintToString(wire);
      }
    }
  }
}

}  // namespace
}  // namespace doorward::smtp
