#include "net/proxy_protocol.h"

#include <gtest/gtest.h>

namespace doorward::net {
namespace {

using State = ProxyParse::State;
using namespace std::string_literals;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

TEST(ProxyProtocol, ReadsVersion1) {
  const auto parsed = parse_proxy_header("PROXY TCP4 192.0.2.1 192.0.2.2 56324 25\r\nEHLO x\r\n");
  ASSERT_EQ(parsed.state, State::complete);
  EXPECT_EQ(parsed.used, 41U);
  EXPECT_TRUE(parsed.header.has_addresses);
  EXPECT_EQ(parsed.header.source.text(), "192.0.2.1:56324");
  EXPECT_EQ(parsed.header.destination.text(), "192.0.2.2:25");
  EXPECT_EQ(parse_proxy_header("PROXY TCP6 2001:db8::1 2001:db8::2 7 25\r\n").header.source.text(), "[2001:db8::1]:7");
  EXPECT_FALSE(parse_proxy_header("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n").header.has_addresses);
}

TEST(ProxyProtocol, ReadsVersion2) {
  const auto parsed = parse_proxy_header(
      kSignature + "\x21\x11\x00\x0f\xc0\x00\x02\x01\xc0\x00\x02\x02\x12\x34\x00\x19\x04\x00\x00more"s);
  ASSERT_EQ(parsed.state, State::complete);
  EXPECT_EQ(parsed.used, 31U);
  EXPECT_EQ(parsed.header.source.text(), "192.0.2.1:4660");
  EXPECT_EQ(parsed.header.destination.text(), "192.0.2.2:25");
  const auto local = parse_proxy_header(kSignature + "\x20\x00\x00\x00"s);
  EXPECT_EQ(local.state, State::complete);
  EXPECT_FALSE(local.header.has_addresses);
}

TEST(ProxyProtocol, RefusesWhatIsNone) {
  for (const std::string& bytes :
       {"EHLO x\r\n"s, "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"s, "PROXY TCP4 ::1 ::2 1 2\r\n"s,
        "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n"s, "PROXY TCP4 192.0.2.1 192.0.2.2 1 70000\r\n"s,
        "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n"s, "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"s,
        "PROXY "s + std::string(120, 'x'), kSignature + "\x11\x11\x00\x00"s,
        kSignature + "\x21\x11\x00\x04\x01\x02\x03\x04"s, kSignature + "\x21\x12\x00\x00"s,
        kSignature + "\x22\x11\x00\x00"s, kSignature + "\x21\x11\xff\xff"s}) {
    EXPECT_EQ(parse_proxy_header(bytes).state, State::invalid) << bytes;
  }
}

TEST(ProxyProtocol, AsksForNoOctetBeyondTheHeader) {
  for (const std::string& header : {"PROXY TCP4 192.0.2.1 192.0.2.2 56324 25\r\n"s, "PROXY UNKNOWN\r\n"s,
                                    kSignature + "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x12\x34\x00\x19"s}) {
    size_t have = 0;
    for (;;) {
      const auto parsed = parse_proxy_header(std::string_view(header).substr(0, have));
      if (parsed.state == State::complete) break;
      ASSERT_EQ(parsed.state, State::incomplete);
      ASSERT_GE(parsed.missing, 1U);
      have += parsed.missing;
      ASSERT_LE(have, header.size());
    }
    EXPECT_EQ(have, header.size());
  }
}

}  // namespace
}  // namespace doorward::net
