#include "mail/ip.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace doorward::mail {
namespace {

using std::string_literals::operator""s;

TEST(IpAddress, ParsesAndWritesBothFamilies) {
  EXPECT_EQ(IpAddress::parse("192.0.2.1")->text(), "192.0.2.1");
  EXPECT_EQ(IpAddress::parse("192.0.2.1")->v4_bits(), 0xC0000201U);
  EXPECT_EQ(IpAddress::v4(0xC0000201U), *IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(IpAddress::parse("2001:DB8:0:0:1:0:0:1")->text(), "2001:db8::1:0:0:1");
  EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.1"), IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(IpAddress::v6(IpAddress::parse("2001:db8::7")->bytes()).text(), "2001:db8::7");
  EXPECT_EQ(IpAddress::parse("192.0.2.1")->literal(), "[192.0.2.1]");
  EXPECT_EQ(IpAddress::parse("2001:db8::1")->literal(), "[IPv6:2001:db8::1]");
}

TEST(IpAddress, RefusesWhatIsNone) {
  for (const std::string& text :
       {""s, "192.0.2"s, "192.0.2.256"s, "192.0.2.1:25"s, "[192.0.2.1]"s, "192.0.2.01"s, " 192.0.2.1"s, "fe80::1%eth0"s,
        "1::2::3"s, "example.org"s, "192.0.2.1\0"s, "::1\0"s, std::string(500, '1'), "2001:db8::1/64"s}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, KnowsKinds) {
  EXPECT_TRUE(IpAddress().is_unspecified());
  EXPECT_FALSE(IpAddress().is_v4());
  EXPECT_FALSE(IpAddress().is_loopback());
  EXPECT_TRUE(IpAddress::parse("127.8.9.1")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("::2")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("128.0.0.1")->is_loopback());
  EXPECT_LT(*IpAddress::parse("192.0.2.1"), *IpAddress::parse("192.0.2.2"));
}

TEST(Network, ContainsItsAddresses) {
  const auto v4 = *Network::parse("192.0.2.64/26");
  EXPECT_TRUE(v4.contains(*IpAddress::parse("192.0.2.64")));
  EXPECT_TRUE(v4.contains(*IpAddress::parse("192.0.2.127")));
  EXPECT_FALSE(v4.contains(*IpAddress::parse("192.0.2.63")));
  EXPECT_FALSE(v4.contains(*IpAddress::parse("192.0.2.128")));
  const auto v6 = *Network::parse("2001:db8::/32");
  EXPECT_TRUE(v6.contains(*IpAddress::parse("2001:db8:ffff::1")));
  EXPECT_FALSE(v6.contains(*IpAddress::parse("2001:db9::1")));
  EXPECT_TRUE(Network::parse("0.0.0.0/0")->contains(*IpAddress::parse("203.0.113.5")));
  EXPECT_FALSE(Network::parse("0.0.0.0/0")->contains(*IpAddress::parse("2001:db8::1")));
  EXPECT_TRUE(Network::parse("::/0")->contains(*IpAddress::parse("203.0.113.5")));
  const auto single = *Network::parse("192.0.2.1");
  EXPECT_TRUE(single.contains(*IpAddress::parse("192.0.2.1")));
  EXPECT_FALSE(single.contains(*IpAddress::parse("192.0.2.0")));
}

TEST(Network, WritesWhatItReads) {
  for (const char* text : {"192.0.2.0/24", "192.0.2.1/32", "0.0.0.0/0", "2001:db8::/32", "::/0", "2001:db8::1/128"}) {
    EXPECT_EQ(Network::parse(text)->text(), text);
  }
  EXPECT_EQ(Network::parse("192.0.2.0/24")->prefix(), 120U);
}

TEST(Network, RefusesWhatIsNone) {
  for (const char* text : {"192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/24x", "/24",
                           "2001:db8::1/32", "2001:db8::/129", "192.0.2.0/24/24", "192.0.2.0/ 24"}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
  EXPECT_THROW(Network(IpAddress(), 129), std::invalid_argument);
}

}  // namespace
}  // namespace doorward::mail
