#include "filter/link_target.h"

#include <gtest/gtest.h>

namespace doorward::filter {
namespace {

TEST(LinkTarget, PartsAsBrowsersTakeThem) {
  const auto target = target_of("https://user:pw@Host.example:8443/path?a=b#c");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->user_info, "user:pw");
  EXPECT_EQ(target->host, "Host.example");
  EXPECT_EQ(target->port, "8443");
  EXPECT_EQ(target->rest, "/path?a=b#c");
  EXPECT_EQ(target_of("http://evil.example\\@good.example/")->host, "evil.example");
  EXPECT_EQ(target_of("http://[2001:db8::1]:80/")->host, "[2001:db8::1]");
  EXPECT_FALSE(target_of("mailto:a@b.example"));
}

TEST(LinkTarget, RedirectorsAreFollowedByTheirText) {
  EXPECT_EQ(behind_redirectors("https://www.google.com/url?sa=t&q=http%3A%2F%2Fevil.example%2Fx"),
            "http://evil.example/x");
  EXPECT_EQ(behind_redirectors("https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.example&data=1"),
            "https://evil.example");
  EXPECT_EQ(behind_redirectors(
                "https://l.facebook.com/l.php?u=https%3A%2F%2Fwww.google.com%2Furl%3Fq%3Dhttp%3A%2F%2Fevil.example"),
            "http://evil.example");
  for (const char* other :
       {"https://www.google.com/search?q=http://evil.example", "https://google.com.evil.example/url?q=http://a.example",
        "https://www.google.com/url?q=evil", "https://www.google.com/url"}) {
    EXPECT_EQ(behind_redirectors(other), other);
  }
}

TEST(LinkTarget, ARedirectorThatLeadsToItselfEnds) {
  std::string url = "http://evil.example";
  for (int i = 0; i < 10; ++i) url = "https://www.google.com/url?q=" + url;
  EXPECT_TRUE(behind_redirectors(url).starts_with("https://www.google.com/url?q="));
}

TEST(LinkTarget, Addresses) {
  for (const char* host : {"192.0.2.1", "[::1]", "3221225985", "0xc0.0.2.1", "192.0.2.1."})
    EXPECT_TRUE(is_ip_host(host)) << host;
  for (const char* host : {"example.org", "1.example", "0xyz", ""}) EXPECT_FALSE(is_ip_host(host)) << host;
  EXPECT_TRUE(is_shortener("bit.ly"));
  EXPECT_FALSE(is_shortener("notbit.ly"));
}

}  // namespace
}  // namespace doorward::filter
