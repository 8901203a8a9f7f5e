#include "smtp/line_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace doorward::smtp {
namespace {

using namespace std::string_literals;

TEST(LineReader, OnlyCrLfEndsALine) {
  const Line line = next_line("NOOP\r\nQUIT\r\n", 100);
  EXPECT_EQ(line.state, LineState::complete);
  EXPECT_EQ(line.text, "NOOP");
  EXPECT_EQ(line.used, 6U);
  EXPECT_EQ(next_line("\r\n", 100).state, LineState::complete);
  EXPECT_EQ(next_line("NOOP\n", 100).state, LineState::bare_lf);
  EXPECT_EQ(next_line("\n", 100).state, LineState::bare_lf);
  EXPECT_EQ(next_line("NO\rOP", 100).state, LineState::bare_cr);
  EXPECT_EQ(next_line("NOOP\r\r\n", 100).state, LineState::bare_cr);
  EXPECT_EQ(next_line("NO\0OP\r\n"s, 100).state, LineState::nul);
}

TEST(LineReader, WaitsForTheRest) {
  for (const char* text : {"", "N", "NOOP", "NOOP\r"})
    EXPECT_EQ(next_line(text, 100).state, LineState::incomplete) << text;
}

TEST(LineReader, CountsTheLimitWithCrLf) {
  EXPECT_EQ(next_line("12345678\r\n", 10).state, LineState::complete);
  EXPECT_EQ(next_line("123456789\r\n", 10).state, LineState::too_long);
  EXPECT_EQ(next_line("123456789\r\n", 10).used, 11U);
  EXPECT_EQ(next_line("123456789", 10).state, LineState::incomplete);
  EXPECT_EQ(next_line("1234567890", 10).state, LineState::too_long);
  EXPECT_EQ(next_line("123456789\r", 10).used, 9U) << "the LF of that CR is still to come";
}

}  // namespace
}  // namespace doorward::smtp
