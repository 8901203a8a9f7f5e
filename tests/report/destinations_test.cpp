#include "report/destinations.h"

#include <gtest/gtest.h>

#include "net/fake_resolver.h"
#include "net/loop.h"

namespace doorward::report {
namespace {

using namespace std::chrono_literals;
using Found = std::vector<std::string>;

TEST(Mailto, GivesTheAddress) {
  EXPECT_EQ(mailto_address("mailto:a@example.org")->text(), "a@example.org");
  EXPECT_EQ(mailto_address("MailTo:a%2bb@example.org")->text(), "a+b@example.org");
  EXPECT_EQ(mailto_address("mailto:a@example.org?cc=b@example.net")->text(), "a@example.org");
  for (const char* wrong :
       {"https://example.org/", "mailto:", "mailto:a", "mailto:a%4", "mailto:a%zz@example.org", "mailto:a@[192.0.2.1]",
        "mailto:a%40b@example.org", "mailto:a@example.org,b@example.org", "mailto:a%0D%0Ab@example.org"}) {
    EXPECT_FALSE(mailto_address(wrong)) << wrong;
  }
}

class DestinationsTest : public testing::Test {
 protected:
  DestinationsTest() { dns_.txt("_dmarc.example.org", "v=DMARC1; p=none; rua=mailto:a@example.org"); }

  Destinations find(std::vector<std::string> uris, std::string domain = "example.org") {
    std::vector<ReportAddress> addresses;
    for (auto& uri : uris) addresses.push_back({std::move(uri), 0});
    Destinations found;
    loop_.run([&]() -> Task<void> {
      found = co_await find_destinations(loop_.core(), dns_, domain, addresses, std::chrono::steady_clock::now() + 2s);
    });
    return found;
  }
  static Found texts(const Destinations& found) {
    Found all;
    for (const auto& one : found.verified) all.push_back(one.to.text());
    return all;
  }

  net::test::FakeResolver dns_;
  net::test::Loop loop_;
};

TEST_F(DestinationsTest, OnesOwnOrganisationIsNotAsked) {
  EXPECT_EQ(texts(find({"mailto:a@example.org", "mailto:b@mail.example.org", "mailto:a@EXAMPLE.org"})),
            (Found{"a@example.org", "b@mail.example.org"}));
  EXPECT_EQ(dns_.asked("example.org._report._dmarc.mail.example.org", net::DnsType::txt), 0);
  EXPECT_EQ(texts(find({"mailto:a@example.org"}, "sub.example.org")), Found{"a@example.org"});
}

TEST_F(DestinationsTest, OthersMustHaveAgreed) {
  const auto refused = find({"mailto:r@example.net"});
  EXPECT_TRUE(refused.verified.empty());
  EXPECT_FALSE(refused.incomplete);
  ASSERT_EQ(refused.refused.size(), 1);
  EXPECT_EQ(refused.refused[0], "r@example.net: example.net has not agreed to reports about example.org");
  dns_.txt("example.org._report._dmarc.example.net", "anything");
  EXPECT_TRUE(find({"mailto:r@example.net"}).verified.empty());
  dns_.txt("example.org._report._dmarc.example.net", "v=DMARC1;");
  EXPECT_EQ(texts(find({"mailto:r@example.net"})), Found{"r@example.net"});
}

TEST_F(DestinationsTest, WhoAgreedMayNameAnotherAddressAtTheSameHost) {
  dns_.txt("example.org._report._dmarc.example.net", "v=DMARC1; rua=mailto:other@example.net!5k");
  const auto found = find({"mailto:r@example.net"});
  EXPECT_EQ(texts(found), Found{"other@example.net"});
  EXPECT_EQ(found.verified[0].limit, 5 * 1024);
  dns_.txt("example.org._report._dmarc.example.com", "v=DMARC1; rua=mailto:a@example.com,mailto:victim@example.edu");
  EXPECT_TRUE(find({"mailto:r@example.com"}).verified.empty());
}

TEST_F(DestinationsTest, SilenceIsNoAnswer) {
  dns_.status("example.org._report._dmarc.example.net", net::DnsType::txt, net::DnsStatus::servfail);
  const auto found = find({"mailto:r@example.net", "mailto:a@example.org"});
  EXPECT_TRUE(found.incomplete);
  EXPECT_EQ(texts(found), Found{"a@example.org"});
}

TEST_F(DestinationsTest, WhoseAHostIsMayBeUnknown) {
  dns_.status("_dmarc.mail.example.org", net::DnsType::txt, net::DnsStatus::servfail);
  const auto found = find({"mailto:r@mail.example.org"});
  EXPECT_TRUE(found.incomplete);  // it may be their own
  EXPECT_TRUE(found.verified.empty());
}

TEST_F(DestinationsTest, NamesThatCannotBeAreNotAsked) {
  const std::string label(60, 'x');
  const std::string domain = label + "." + label + "." + label + ".example";
  EXPECT_TRUE(find({"mailto:r@" + label + ".example.net"}, domain).verified.empty());
}

TEST_F(DestinationsTest, AReportHasFewAddresses) {
  std::vector<std::string> uris;
  for (int i = 0; i < 20; ++i) uris.push_back("mailto:r" + std::to_string(i) + "@example.org");
  EXPECT_EQ(find(uris).verified.size(), kMostAddresses);
}

}  // namespace
}  // namespace doorward::report
