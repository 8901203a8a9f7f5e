#include <gtest/gtest.h>

#include "net/connection.h"

namespace doorward::net {
namespace {

TEST(Endpoint, ReadsWhatItWrites) {
  for (const char* text : {"127.0.0.1:25", "[::1]:25", "[2001:db8::7]:2525", "0.0.0.0:0", "unix:/run/x.sock"}) {
    const auto endpoint = Endpoint::parse(text);
    ASSERT_TRUE(endpoint.has_value()) << text;
    EXPECT_EQ(endpoint->text(), text);
  }
}

TEST(Endpoint, TakesTheDefaultPort) {
  EXPECT_EQ(Endpoint::parse("192.0.2.1", 25)->text(), "192.0.2.1:25");
  EXPECT_EQ(Endpoint::parse("[2001:db8::1]", 25)->text(), "[2001:db8::1]:25");
  EXPECT_EQ(Endpoint::parse("2001:db8::1", 25)->text(), "[2001:db8::1]:25");
}

TEST(Endpoint, RefusesWhatIsNone) {
  const std::string long_path = "unix:/" + std::string(200, 'x');
  for (const std::string& text : {std::string(""), std::string("host:25"), std::string("192.0.2.1:"),
                                  std::string("192.0.2.1:65536"), std::string("192.0.2.1:25x"), std::string("[::1"),
                                  std::string("[::1]25"), std::string("[::1]:"), std::string("unix:"), long_path}) {
    EXPECT_FALSE(Endpoint::parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace doorward::net
