#include "mime/urls.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "conformance.h"
#include "mail_text.h"

namespace doorward::mime {
namespace {

std::string urls_in(std::string_view text) {
  std::string all;
  TextUrl url;
  for (size_t at = 0; find_url(text, at, url); at = url.end) {
    all.append(all.empty() ? "" : " ").append(text.substr(url.begin, url.end - url.begin));
  }
  return all;
}

TEST(UrlsInText, Ends) {
  EXPECT_EQ(urls_in("see http://a.com."), "http://a.com");
  EXPECT_EQ(urls_in("see http://a.com/x?y=1&z=2#f, and"), "http://a.com/x?y=1&z=2#f");
  EXPECT_EQ(urls_in("(http://a.com/x_(y))"), "http://a.com/x_(y)");
  EXPECT_EQ(urls_in("<http://a.com/x>"), "http://a.com/x");
  EXPECT_EQ(urls_in("[http://a.com/x]"), "http://a.com/x");
  EXPECT_EQ(urls_in("\"HTTPS://A.com/x\""), "HTTPS://A.com/x");
  EXPECT_EQ(urls_in("http://a.com/**"), "http://a.com/");
  EXPECT_EQ(urls_in("請看http://a.com/x。謝謝"), "http://a.com/x");
  EXPECT_EQ(urls_in("http://bücher.example/straße"), "http://bücher.example/straße");
}

TEST(UrlsInText, Begins) {
  EXPECT_EQ(urls_in("www.a.com ftp://b.com"), "www.a.com ftp://b.com");
  EXPECT_EQ(urls_in("xwww.a.com a@www.b.com http://"), "");
  EXPECT_EQ(urls_in("http://www.a.com/"), "http://www.a.com/");
  EXPECT_EQ(urls_in("http://a.com?u=http://b.com"), "http://a.com?u=http://b.com");
  EXPECT_EQ(urls_in("http://[::1]/x http://1.2.3.4"), "http://[::1]/x http://1.2.3.4");
  EXPECT_EQ(urls_in("www. www.x a://b.c"), "");
}

TEST(Openable, IsWhatAClientWouldOpen) {
  EXPECT_EQ(openable(" HTTP://a.com/x\n "), "http://a.com/x");
  EXPECT_EQ(openable("ht\ttp:\\\\a.com\\x?y\\z"), "http://a.com/x?y\\z");
  EXPECT_EQ(openable("http:///a.com"), "http://a.com");
  EXPECT_EQ(openable("mailto:a@b.c"), "mailto:a@b.c");
  EXPECT_EQ(openable("//a.com/x", "http://b.com/"), "http://a.com/x");
  EXPECT_EQ(openable("x", "http://b.com"), "http://b.com/x");
  EXPECT_EQ(openable("x", "http://b.com/d/e?f/g"), "http://b.com/d/x");
  EXPECT_EQ(openable("\\\\a.com"), "https://a.com");
  EXPECT_LE(openable("http://" + std::string(100'000, 'a')).size(), 4096U);
}

// By description, with what we do instead: a filter rather sees a URL too many or too long than none.
const std::map<std::string, std::string>& exceptions() {
  static const std::map<std::string, std::string> kExceptions = {
#include "url_exceptions.inc"
  };
  return kExceptions;
}

TEST(UrlsInText, TwitterText) {
  std::ifstream in(TEST_DATA "/twitter-text/urls.tsv");
  size_t count = 0;
  test::Conformance suite("twitter-text-urls");
  for (std::string line; std::getline(in, line); ++count) {
    suite.begin();
    const size_t one = line.find('\t'), two = line.find('\t', one + 1);
    ASSERT_NE(two, std::string::npos);
    const std::string description = line.substr(0, one);
    if (exceptions().contains(description)) {
      suite.except();
      continue;
    }
    EXPECT_EQ(urls_in(line.substr(one + 1, two - one - 1)), line.substr(two + 1)) << description;
  }
  EXPECT_GT(count, 50U);
}

}  // namespace
}  // namespace doorward::mime
