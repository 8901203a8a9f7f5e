#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/nearest.h"
#include "config/option_value.h"
#include "config/quantity.h"
#include "config/table.h"
#include "config/toml.h"

namespace doorward::config {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(Quantity, DurationsHaveUnits) {
  EXPECT_EQ(parse_duration("500ms").value(), 500ms);
  EXPECT_EQ(parse_duration("30s").value(), 30s);
  EXPECT_EQ(parse_duration("5 m").value(), 5min);
  EXPECT_EQ(parse_duration("2w").value(), 14 * 24h);
  EXPECT_EQ(parse_duration("0").value(), 0ms);
  for (const char* bad : {"", "5", "m", "-5s", "5x", "5s ", "1.5s", "99999999999999999999s", "999999999w"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
}

TEST(Quantity, SizesHaveUnits) {
  EXPECT_EQ(parse_size("25MB").value(), 25'000'000U);
  EXPECT_EQ(parse_size("4MiB").value(), 4U << 20);
  EXPECT_EQ(parse_size("0").value(), 0U);
  EXPECT_EQ(parse_size("800B").value(), 800U);
  for (const char* bad : {"25", "25mb", "MB", "-1B", "99999999TB"}) EXPECT_FALSE(parse_size(bad)) << bad;
}

TEST(Quantity, FormattingGivesBackWhatWasMeant) {
  EXPECT_EQ(format_duration(300s), "5m");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(168h), "7d");
  EXPECT_EQ(format_duration(0ms), "0s");
  EXPECT_EQ(format_size(25'000'000), "25MB");
  EXPECT_EQ(format_size(4 << 20), "4MiB");
  EXPECT_EQ(format_size(1001), "1001B");
}

TEST(Nearest, FindsWhatWasMeantAndNothingElse) {
  constexpr std::string_view known[] = {"listener", "limits", "log", "certificate"};
  EXPECT_EQ(nearest("lisener", known), "listener");
  EXPECT_EQ(nearest("limtis", known), "limits");
  EXPECT_EQ(nearest("Certificate", known), "certificate");
  EXPECT_EQ(nearest("banana", known), "");
  EXPECT_EQ(nearest("", known), "");
  EXPECT_EQ(nearest(std::string(5000, 'l'), known), "");
}

TEST(OptionValue, ChecksBounds) {
  const OptionInfo number{"n", OptionType::integer, "", "1", "", 1, 9};
  EXPECT_EQ(check(number, "9").value(), "9");
  EXPECT_FALSE(check(number, "10"));
  EXPECT_FALSE(check(number, "1.5"));
  EXPECT_FALSE(check(number, "9x"));
  const OptionInfo real{"r", OptionType::number, "", "1", "", 0, 10};
  EXPECT_EQ(check(real, "2.50").value(), "2.5");
  EXPECT_FALSE(check(real, "nan"));
  const OptionInfo time{"t", OptionType::duration, "", "5m", "", 60, 43200};
  EXPECT_EQ(check(time, "12h").value(), "12h");
  EXPECT_FALSE(check(time, "59s"));
  EXPECT_EQ(check(time, "3d").error().text(), "3d is outside of 1m to 12h");
}

TEST(OptionValue, ChoicesNameTheNearest) {
  const OptionInfo option{"legal", OptionType::choice, "", "refuse-only", "", 0, 0, {"refuse-only", "tag-only"}};
  EXPECT_EQ(check(option, "tag-only").value(), "tag-only");
  EXPECT_THAT(check(option, "refuse_only").error().what, HasSubstr("did you mean \"refuse-only\""));
}

TEST(OptionValue, TextHasNoControlCharacters) {
  const OptionInfo option{"t", OptionType::text, "", "", ""};
  EXPECT_EQ(check(option, "*** Späm ***").value(), "*** Späm ***");
  EXPECT_FALSE(check(option, "a\r\nBcc: x"));
}

TEST(OptionValue, TomlGivesBackTheValue) {
  const OptionInfo text{"t", OptionType::text, "", "", ""};
  const std::string hard = "a \"quoted\" \\ back";
  const auto parsed = parse_toml("t = " + to_toml(text, hard), "x");
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(check(text, *parsed->find("t")).value(), hard);
  const OptionInfo list{"l", OptionType::list, "", "", ""};
  const auto again = parse_toml("l = " + to_toml(list, "a\nb c"), "x");
  EXPECT_EQ(check(list, *again->find("l")).value(), "a\nb c");
}

TEST(Toml, ValuesKnowTheirLinesAndKeepTheFilesOrder) {
  const auto root =
      parse_toml("zebra = 1\n\napple = true\n[table]\n  x = \"y\"\n[[list]]\nn = 1\n[[list]]\nn = 2\n", "f");
  ASSERT_TRUE(root);
  ASSERT_EQ(root->members.size(), 4U);
  EXPECT_EQ(root->members[0].key, "zebra");
  EXPECT_EQ(root->members[1].key, "apple");
  EXPECT_EQ(root->find("apple")->line, 3U);
  EXPECT_EQ(root->find("table")->find("x")->line, 5U);
  ASSERT_EQ(root->find("list")->items.size(), 2U);
  EXPECT_EQ(root->find("list")->items[1].find("n")->integer, 2);
}

TEST(Toml, SyntaxErrorsNameFileAndLine) {
  const auto root = parse_toml("a = 1\nb = = 2\n", "doorward.toml");
  ASSERT_FALSE(root);
  EXPECT_THAT(root.error().text(), HasSubstr("doorward.toml:2"));
}

TEST(Toml, DepthIsBounded) {
  std::string deep = "a";
  for (int i = 0; i < 100'000; ++i) deep += ".a";
  EXPECT_FALSE(parse_toml(deep + " = 1", "f"));
  EXPECT_FALSE(parse_toml("a = " + std::string(100'000, '['), "f"));
}

TEST(Table, TellsUnknownKeysWithLineAndNearest) {
  const auto root = parse_toml("name = \"x\"\nadress = \"y\"\n", "f.toml");
  Problems problems("f.toml");
  Table table(*root, problems);
  const OptionInfo name{"name", OptionType::text, "", "", ""}, address{"address", OptionType::text, "", "none", ""};
  EXPECT_EQ(table.take(name), "x");
  EXPECT_EQ(table.take(address), "none");
  table.finish();
  ASSERT_FALSE(problems.none());
  EXPECT_EQ(problems.error().text(), "f.toml:2: unknown key 'adress'; did you mean 'address'?");
}

TEST(Table, TellsAllProblemsInTheFilesOrder) {
  const auto root = parse_toml("a = 1\nb = 2\n", "f");
  Problems problems("f");
  Table table(*root, problems);
  const OptionInfo b{"b", OptionType::text, "", "", ""}, a{"a", OptionType::boolean, "", "true", ""};
  table.take(b);
  table.take(a);
  EXPECT_EQ(
      problems.error().text(),
      "f:1: a: true or false is wanted, not a whole number\nf:2: b: a text in quotes is wanted, not a whole number");
}

}  // namespace
}  // namespace doorward::config
