#include "mailauth/tag_list.h"

#include <gtest/gtest.h>

namespace doorward::mailauth {
namespace {

TEST(TagList, ReadsNamesAndValues) {
  const std::string_view text = " v = 1 ;\r\n\tb=a b\r\n c ; x_1=; last=z;";
  const auto list = TagList::parse(text);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->value("v"), "1");
  EXPECT_EQ(list->value("b"), "a b\r\n c");
  EXPECT_EQ(list->value("x_1"), "");
  EXPECT_EQ(list->value("last"), "z");
  EXPECT_EQ(list->value("V"), std::nullopt);
  const Tag* value = list->find("b");
  EXPECT_EQ(text.substr(value->from, value->to - value->from), "a b\r\n c ");
}

TEST(TagList, RefusesWhatTheGrammarHasNot) {
  for (const std::string_view text : {"", " ", ";", "v=1;;a=2", "v=1; ; a=2", "v", "v=1; a", "=1", "1v=1", "_v=1",
                                      "v x=1", "v=1; v=1", "v=\x01", "v-1=2", "v=\x7f"}) {
    EXPECT_FALSE(TagList::parse(text)) << text;
  }
  std::string many;
  for (int i = 0; i < 65; ++i) many += "t" + std::to_string(i) + "=;";
  EXPECT_FALSE(TagList::parse(many));
}

TEST(TagList, Base64) {
  EXPECT_EQ(base64_octets("Zm9v YmFy\r\n"), "foobar");
  EXPECT_EQ(base64_octets("Zm9vYg=="), "foob");
  EXPECT_EQ(base64_octets("Zm9vYg"), "foob");
  EXPECT_EQ(base64_octets("Zm9vYmE="), "fooba");
  EXPECT_EQ(base64_octets(""), "");
  for (const std::string_view text :
       {"Z", "Zm9vY", "Zm9vYg=", "Zm9v=", "Zm9v-mFy", "Zm=9", "Zm9vYmE==", "Zm9v\\nYmFy"}) {
    EXPECT_EQ(base64_octets(text), std::nullopt) << text;
  }
  EXPECT_EQ(base64_text("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64_text(""), "");
}

TEST(TagList, NumbersAndColons) {
  EXPECT_EQ(decimal("0012"), 12U);
  for (const std::string_view text : {"", "1 2", "-1", "+1", "1.0", "99999999999999999999"}) {
    EXPECT_EQ(decimal(text), std::nullopt) << text;
  }
  EXPECT_EQ(colon_list("from : to::\r\n date"), (std::vector<std::string_view>{"from", "to", "", "date"}));
  EXPECT_EQ(colon_list(""), (std::vector<std::string_view>{""}));
}

}  // namespace
}  // namespace doorward::mailauth
