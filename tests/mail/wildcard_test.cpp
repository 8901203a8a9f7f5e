#include "mail/wildcard.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace doorward::mail {
namespace {

TEST(Wildcard, StarStandsForAnything) {
  EXPECT_TRUE(wildcard_match("*", ""));
  EXPECT_TRUE(wildcard_match("*@d.example", "a@d.example"));
  EXPECT_TRUE(wildcard_match("*firma@d.example", "meinefirma@d.example"));
  EXPECT_TRUE(wildcard_match("a*b*c", "aXbYbZc"));
  EXPECT_TRUE(wildcard_match("*a*", "bab"));
  EXPECT_TRUE(wildcard_match("a**", "a"));
  EXPECT_FALSE(wildcard_match("*@d.example", "a@d.example.org"));
  EXPECT_FALSE(wildcard_match("a*b*c", "aXbYbZ"));
  EXPECT_FALSE(wildcard_match("", "a"));
  EXPECT_TRUE(wildcard_match("", ""));
}

TEST(Wildcard, QuestionMarkStandsForOneCharacter) {
  EXPECT_TRUE(wildcard_match("a?c", "abc"));
  EXPECT_TRUE(wildcard_match("a?c",
                             "a\xC3\xB6"
                             "c"))
      << "one character of two octets";
  EXPECT_TRUE(wildcard_match("*?c",
                             "a\xE4\xBE\x8B"
                             "c"));
  EXPECT_TRUE(wildcard_match("a?c",
                             "a\xFF"
                             "c"))
      << "an octet that is no UTF-8";
  EXPECT_FALSE(wildcard_match("a?c", "ac"));
  EXPECT_FALSE(wildcard_match("a?", "abc"));
  EXPECT_FALSE(wildcard_match("???", "ab"));
}

TEST(Wildcard, CaseOnlyWhereAsked) {
  EXPECT_FALSE(wildcard_match("*.EXE", "a.exe"));
  EXPECT_TRUE(wildcard_match_ignoring_case("*.EXE", "A.exe"));
  EXPECT_FALSE(wildcard_match_ignoring_case("[", "{")) << "only letters fold";
  EXPECT_TRUE(has_wildcard("a?") && has_wildcard("*"));
  EXPECT_FALSE(has_wildcard("a.b@d.example"));
}

TEST(Wildcard, ManyStarsDoNotExplode) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a";
  const std::string text(20'000, 'a');
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(wildcard_match(pattern + "b", text));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

}  // namespace
}  // namespace doorward::mail
