#include "net/dns_wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace doorward::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::string_literals;

std::string u16(unsigned value) { return {static_cast<char>(value >> 8), static_cast<char>(value & 0xFF)}; }
std::string u32(unsigned value) { return u16(value >> 16) + u16(value & 0xFFFF); }
std::string wire(std::string_view name) {
  std::string made;
  while (!name.empty()) {
    const auto label = name.substr(0, name.find('.'));
    made += static_cast<char>(label.size());
    made += label;
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  return made + '\0';
}

class DnsWire : public testing::Test {
 protected:
  static DnsQuestion ask(std::string_view name, DnsType type = DnsType::a) {
    return *DnsQuestion::make(name, type, 0x1234, 0);
  }
  struct Counts {
    unsigned answers = 0, authority = 0;
    unsigned flags = 0x8180;  // a response, recursion desired and available
    unsigned rcode = 0;
  };
  static std::string message(const DnsQuestion& question, const Counts& counts, const std::string& records) {
    return u16(question.id) + u16(counts.flags | counts.rcode) + u16(1) + u16(counts.answers) + u16(counts.authority) +
           u16(0) + question.wire_name + u16(static_cast<unsigned>(question.type)) + u16(1) + records;
  }
  static std::string record(const std::string& owner, unsigned type, unsigned ttl, const std::string& rdata) {
    return owner + u16(type) + u16(1) + u32(ttl) + u16(static_cast<unsigned>(rdata.size())) + rdata;
  }
  static std::string soa(unsigned ttl, unsigned minimum) {
    return record(wire("list.example"), 6, ttl,
                  wire("ns") + wire("me") + u32(1) + u32(2) + u32(3) + u32(4) + u32(minimum));
  }
  static inline const std::string kAsked = "\xC0\x0C"s;  // a pointer to the question's name
};

TEST_F(DnsWire, AQuestionIsTheNameWithItsCasesAndTheType) {
  const auto question = DnsQuestion::make("2.0.0.127.list.example", DnsType::txt, 0xBEEF, 0b101);
  ASSERT_TRUE(question);
  EXPECT_EQ(question->message(), u16(0xBEEF) + u16(0x0100) + u16(1) + u16(0) + u16(0) + u16(0) +
                                     wire("2.0.0.127.LiSt.example") + u16(16) + u16(1));
  EXPECT_EQ(DnsQuestion::make("a\\032b\\046c.d", DnsType::a, 1, 0)->wire_name, "\5a b.c\1d\0"s);
}

TEST_F(DnsWire, NamesThatCannotBeAreNotAskedFor) {
  const std::string label(63, 'x');
  EXPECT_TRUE(DnsQuestion::make(label + ".example", DnsType::a, 1, 0));
  EXPECT_TRUE(DnsQuestion::make(label + "." + label + "." + label + "." + std::string(61, 'x'), DnsType::a, 1, 0));
  for (const std::string& name : {""s, "."s, "a..b"s, ".a"s, "a."s, label + "x.example", "a\\999"s, "a\\25"s,
                                  label + "." + label + "." + label + "." + std::string(62, 'x')}) {
    EXPECT_FALSE(DnsQuestion::make(name, DnsType::a, 1, 0)) << name;
  }
}

TEST_F(DnsWire, AddressesComeWithTheSmallestTtl) {
  const auto question = ask("2.0.0.127.list.example");
  const auto reply = read_reply(
      question,
      message(question, {.answers = 2}, record(kAsked, 1, 300, "\x7F\0\0\2"s) + record(kAsked, 1, 60, "\x7F\0\0\4"s)));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->answer.status, DnsStatus::found);
  EXPECT_EQ(reply->answer.ttl, std::chrono::seconds(60));
  EXPECT_THAT(reply->answer.addresses(),
              ElementsAre(*mail::IpAddress::parse("127.0.0.2"), *mail::IpAddress::parse("127.0.0.4")));
  EXPECT_FALSE(reply->truncated || reply->refused);
}

TEST_F(DnsWire, TextsAndRecordsOfOthersAmongThem) {
  const auto question = ask("x.list.example", DnsType::txt);
  const auto reply = read_reply(
      question, message(question, {.answers = 3},
                        record(kAsked, 16, 9, "\4spam\2, "s + "\4mail"s) +
                            record(wire("y.list.example"), 16, 9, "\5other"s) + record(kAsked, 1, 9, "\x7F\0\0\2"s)));
  ASSERT_TRUE(reply);
  EXPECT_THAT(reply->answer.texts(), ElementsAre("spam, mail"));
}

TEST_F(DnsWire, AliasesAreFollowedInWhateverOrderTheyStand) {
  const auto question = ask("x.list.example");
  const std::string target = record(wire("END.list.example"), 1, 30, "\x7F\0\0\2"s);
  const std::string second = record(wire("mid.list.example"), 5, 50, wire("end.list.example"));
  const std::string first = record(kAsked, 5, 20, wire("Mid.list.example"));
  const auto reply = read_reply(question, message(question, {.answers = 3}, target + second + first));
  ASSERT_TRUE(reply);
  EXPECT_THAT(reply->answer.addresses(), ElementsAre(*mail::IpAddress::parse("127.0.0.2")));
  EXPECT_EQ(reply->answer.canonical(), "end.list.example");
  EXPECT_EQ(reply->answer.ttl, std::chrono::seconds(20));
}

TEST_F(DnsWire, AliasesInACircleEnd) {
  const auto question = ask("x.list.example");
  const auto reply = read_reply(
      question, message(question, {.answers = 2},
                        record(kAsked, 5, 20, wire("y.list.example")) + record(wire("y.list.example"), 5, 20, kAsked)));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->answer.status, DnsStatus::no_data);
}

TEST_F(DnsWire, AbsenceHoldsAsLongAsTheZoneSays) {
  const auto question = ask("x.list.example");
  auto reply = read_reply(question, message(question, {.authority = 1, .rcode = 3}, soa(600, 150)));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->answer.status, DnsStatus::nxdomain);
  EXPECT_EQ(reply->answer.ttl, std::chrono::seconds(150));
  reply = read_reply(question, message(question, {.authority = 1}, soa(100, 150)));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->answer.status, DnsStatus::no_data);
  EXPECT_EQ(reply->answer.ttl, std::chrono::seconds(100));
}

TEST_F(DnsWire, WhatIsNoAnswerToTheQuestionIsPassedOver) {
  const auto question = *DnsQuestion::make("x.list.example", DnsType::a, 0x1234, ~uint64_t{0});
  const std::string good = message(question, {.answers = 1}, record(kAsked, 1, 9, "\x7F\0\0\2"s));
  ASSERT_TRUE(read_reply(question, good));
  const auto changed = [&](size_t at, char c) {
    std::string other = good;
    other[at] = c;
    return read_reply(question, other).has_value();
  };
  EXPECT_FALSE(changed(0, 'x')) << "another id";
  EXPECT_FALSE(changed(2, '\x01')) << "a question";
  EXPECT_FALSE(changed(13, 'x')) << "the name in another case";
  EXPECT_FALSE(changed(13 + 16, '\x10')) << "another type";
  EXPECT_FALSE(read_reply(question, ""));
  EXPECT_FALSE(read_reply(question, std::string_view(good).substr(0, 11)));
}

TEST_F(DnsWire, RefusalsAndFailuresAreNoAnswer) {
  const auto question = ask("x.list.example");
  auto reply = read_reply(question, message(question, {.rcode = 5}, ""));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->answer.status, DnsStatus::servfail);
  EXPECT_TRUE(reply->refused);
  reply = read_reply(question, u16(question.id) + u16(0x8182) + std::string(8, '\0'));
  ASSERT_TRUE(reply) << "a failure without the question";
  EXPECT_EQ(reply->answer.status, DnsStatus::servfail);
  EXPECT_FALSE(read_reply(question, u16(question.id) + u16(0x8180) + std::string(8, '\0'))) << "success without it";
}

TEST_F(DnsWire, CutOffBeforeAnyRecordMeansNothing) {
  const auto question = ask("x.list.example");
  auto reply = read_reply(question, message(question, {.flags = 0x8380}, ""));
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->truncated);
  EXPECT_EQ(reply->answer.status, DnsStatus::servfail);
  reply = read_reply(question, message(question, {.answers = 1, .flags = 0x8380}, record(kAsked, 1, 9, "\x7F\0\0\2"s)));
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->answer.found());
}

TEST_F(DnsWire, EveryPrefixOfAMessageIsReadWithoutHarm) {
  const auto question = ask("x.list.example");
  const std::string whole = message(question, {.answers = 2, .authority = 1},
                                    record(kAsked, 5, 20, wire("y.list.example")) +
                                        record(wire("y.list.example"), 1, 20, "\x7F\0\0\2"s) + soa(600, 150));
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    const auto reply = read_reply(question, std::string(whole.substr(0, cut)));
    if (cut < 33 || !reply) continue;
    EXPECT_TRUE(reply->answer.status == DnsStatus::servfail || reply->answer.found()) << cut;
  }
}

TEST_F(DnsWire, PointersThatPointForwardOrAtThemselvesAreNotFollowed) {
  const auto question = ask("x.list.example");
  for (const std::string& owner : {"\xC0\xFF"s, "\xC0\x20"s, "\x80\x0C"s, "\xC0"s}) {
    const auto reply = read_reply(question, message(question, {.answers = 1}, record(owner, 1, 9, "\x7F\0\0\2"s)));
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->answer.status, DnsStatus::servfail);
  }
}

}  // namespace
}  // namespace doorward::net
