#include "filter/block_list.h"

#include <gtest/gtest.h>

namespace doorward::filter {
namespace {

using Kind = ListVerdict::Kind;

BlockList list_of(std::initializer_list<const char*> codes) {
  BlockList list;
  for (const char* code : codes) list.codes.push_back(parse_list_code(code).value());
  return list;
}
ListVerdict verdict(const BlockList& list, std::initializer_list<const char*> answers) {
  std::vector<mail::IpAddress> addresses;
  for (const char* answer : answers) addresses.push_back(mail::IpAddress::parse(answer).value());
  return verdict_of(list, addresses);
}

TEST(ListCode, ReadsAndWritesItself) {
  for (const char* text : {"127.0.0.2 = 3", "127.0.0.4-7 = 2.5", "127.0.*.3 = -2", "127.0.0.&8 = 3"}) {
    const auto code = parse_list_code(text);
    ASSERT_TRUE(code) << text;
    EXPECT_EQ(text_of(*code), text);
  }
  for (const char* text : {"", "127.0.0.2", "127.0.0 = 3", "127.0.0.0.2 = 3", "127.0.0.256 = 3", "127.0.0.7-4 = 3",
                           "127.0.0.&0 = 3", "127.0.0.2 = x", "127.0.0.2 = 11", "127.0.0. = 1", "a.0.0.1 = 1"}) {
    EXPECT_FALSE(parse_list_code(text)) << text;
  }
}

TEST(ListVerdict, AllCodesThatMatchCount) {
  const auto list = list_of({"127.0.0.2 = 3", "127.0.0.4-7 = 2.5", "127.0.*.9 = -2"});
  EXPECT_EQ(verdict(list, {}).kind, Kind::not_listed);
  EXPECT_EQ(verdict(list, {"127.0.0.3"}).kind, Kind::not_listed) << "a code that nobody gave a meaning";
  EXPECT_EQ(verdict(list, {"127.0.0.2"}).points, sheet::Points::of(3));
  const auto both = verdict(list, {"127.0.0.2", "127.0.0.7"});
  EXPECT_EQ(both.points, sheet::Points::of(5.5));
  EXPECT_EQ(both.codes, "127.0.0.2 127.0.0.7");
  EXPECT_EQ(verdict(list, {"127.0.44.9"}).points, sheet::Points::of(-2));
}

TEST(ListVerdict, BitsAreOfOneAnswer) {
  const auto list = list_of({"127.0.0.&8 = 1", "127.0.0.&16 = 2"});
  EXPECT_EQ(verdict(list, {"127.0.0.8"}).points, sheet::Points::of(1));
  EXPECT_EQ(verdict(list, {"127.0.0.24"}).points, sheet::Points::of(3));
  EXPECT_EQ(verdict(list, {"127.0.0.4"}).kind, Kind::not_listed);
}

// A list whose domain was sold answers with a web server; one that wants to be paid says so in 127.255.255.0/24.
TEST(ListVerdict, ARefusalIsNoHit) {
  const auto list = list_of({"*.*.*.* = 3"});
  for (const char* answer : {"192.0.2.80", "127.255.255.254", "::1"}) {
    EXPECT_EQ(verdict(list, {answer}).kind, Kind::failed) << answer;
  }
  EXPECT_EQ(verdict(list_of({"127.0.0.2 = 3"}), {"127.0.0.1"}).kind, Kind::failed);
  EXPECT_EQ(verdict(list_of({"127.0.0.1 = 3"}), {"127.0.0.1"}).kind, Kind::listed) << "unless the list means it";
  EXPECT_EQ(verdict(list, {"127.0.0.2", "192.0.2.80"}).kind, Kind::failed);
}

TEST(BlockLists, TheDefaultOnesMakeSense) {
  size_t on = 0;
  for (const auto& list : default_block_lists()) {
    EXPECT_FALSE(list.codes.empty()) << list.name;
    on += list.on ? 1U : 0U;
    if (list.name.starts_with("spamhaus")) EXPECT_FALSE(list.on) << "it needs a licence";
  }
  EXPECT_GE(on, 4U);
}

}  // namespace
}  // namespace doorward::filter
