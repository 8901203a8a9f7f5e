#include "net/dns_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace doorward::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

DnsAnswer answer(DnsType type, std::vector<std::string> rdata) {
  DnsAnswer result = dns_failure(DnsStatus::found);
  result.records = std::make_shared<DnsRecords>(DnsRecords{type, "", std::move(rdata)});
  return result;
}

TEST(DnsName, HasOneForm) {
  EXPECT_EQ(dns_name("WWW.Example.ORG."), "www.example.org");
  EXPECT_EQ(dns_name("b\u00fccher.example"), "xn--bcher-kva.example");
  EXPECT_EQ(dns_name("_dmarc.example"), "_dmarc.example");
  EXPECT_EQ(dns_name("a b.example"), "a\\032b.example");
  EXPECT_EQ(dns_name("\\065\\046.example"), "a\\046.example") << "an escaped dot is no separator";
  EXPECT_EQ(dns_name(std::string(63, 'x') + ".example"), std::string(63, 'x') + ".example");
}

TEST(DnsName, RefusesWhatCannotBe) {
  for (const std::string& name :
       {std::string(), std::string("."), std::string("a..b"), std::string(".a"), std::string(64, 'x'),
        std::string("a\\"), std::string("a\\999"), std::string("a\\0"), std::string("\xFF.example")}) {
    EXPECT_EQ(dns_name(name), "") << name;
  }
  std::string longest;
  for (int i = 0; i < 126; ++i) longest += "a.";
  EXPECT_EQ(dns_name(longest + "b").size(), 253U);
  EXPECT_EQ(dns_name(longest + "bc"), "");
}

TEST(DnsName, ReverseNames) {
  EXPECT_EQ(reverse_name(*mail::IpAddress::parse("192.0.2.1")), "1.2.0.192.in-addr.arpa");
  EXPECT_EQ(reverse_name(*mail::IpAddress::parse("2001:db8::567:89ab")),
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

TEST(DnsAnswer, NamesWithOddOctetsAreEscaped) {
  EXPECT_THAT(answer(DnsType::ptr, {std::string("\3A.\x01\2cd\0", 8)}).names(), ElementsAre("a\\046\\001.cd"));
}

TEST(DnsAnswer, MalformedRecordsArePassedOver) {
  EXPECT_THAT(answer(DnsType::a, {"abc", "abcde", ""}).addresses(), IsEmpty());
  EXPECT_THAT(answer(DnsType::mx, {"", "\1", std::string("\0\5", 2), std::string("\0\5\3ab", 5),
                                   std::string("\0\5\2ab", 5), std::string("\0\5\xC0\0", 4)})
                  .exchanges(),
              IsEmpty());
  EXPECT_THAT(answer(DnsType::txt, {"", "\5ab", "\2ab\1"}).texts(), IsEmpty());
  EXPECT_THAT(answer(DnsType::txt, {"\2ab\1c", std::string("\0", 1)}).texts(), ElementsAre("abc", ""));
  EXPECT_THAT(answer(DnsType::tlsa, {"\3\1\1"}).tlsa(), IsEmpty());
  EXPECT_THAT(answer(DnsType::soa, {std::string("\0\0abc", 5)}).authority(), IsEmpty());
  std::string endless;
  for (int i = 0; i < 200; ++i) endless += "\1a";
  EXPECT_THAT(answer(DnsType::ptr, {endless + '\0'}).names(), IsEmpty());
}

TEST(DnsAnswer, AViewOfAnotherTypeIsEmpty) {
  const DnsAnswer text = answer(DnsType::txt, {std::string("\3abc", 4)});
  EXPECT_THAT(text.addresses(), IsEmpty());
  EXPECT_THAT(text.names(), IsEmpty());
  EXPECT_THAT(dns_failure(DnsStatus::nxdomain).texts(), IsEmpty());
}

}  // namespace
}  // namespace doorward::net
