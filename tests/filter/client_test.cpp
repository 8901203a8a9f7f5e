#include "filter/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "filter/case.h"

namespace doorward::filter {
namespace {

using mailauth::Result;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> symbols(const char* ip, Result result, const char* name, const char* helo, bool ours = false) {
  TestMail mail("Subject: hello\n\nhello\n");
  mail.client.ip = *mail::IpAddress::parse(ip);
  mail.client.helo = helo;
  mail.facts.helo_is_ours = ours;
  mail.facts.authentication.emplace().iprev = {result, name};
  std::vector<std::string> found;
  for (const auto& finding : mail.judged_by(client())) found.emplace_back(finding.symbol);
  EXPECT_TRUE(mail.unknown.empty());
  return found;
}

TEST(ClientFilter, AServerWithANameOfItsOwnIsFine) {
  EXPECT_THAT(symbols("192.0.2.7", Result::pass, "mx7.example.org", "mx7.example.org"), IsEmpty());
  EXPECT_THAT(symbols("192.0.2.7", Result::pass, "mail-192.example.org", "mail-192.example.org"), IsEmpty());
  EXPECT_THAT(symbols("2001:db8::7", Result::pass, "mx7.example.org", "[IPv6:2001:db8::7]"), IsEmpty());
  EXPECT_THAT(symbols("192.0.2.7", Result::temperror, "", "mx7.example.org"), IsEmpty()) << "nobody knows";
}

TEST(ClientFilter, NamesThatAreMissingOrDoNotLeadBack) {
  EXPECT_THAT(symbols("192.0.2.7", Result::permerror, "", "mx.example.org"), ElementsAre("reverse_name_missing"));
  EXPECT_THAT(symbols("192.0.2.7", Result::fail, "bank.example", "mx.example.org"),
              ElementsAre("reverse_name_unconfirmed"));
}

TEST(ClientFilter, NamesThatEveryConnectionOfAProviderHas) {
  for (const char* name : {"host-192-0-2-7.isp.example", "7.2.0.192.dyn.isp.example", "c0000207.isp.example",
                           "ip192x0x2x7.isp.example", "192-000-002-007.isp.example"}) {
    EXPECT_THAT(symbols("192.0.2.7", Result::pass, name, "mx.example.org"), ElementsAre("reverse_name_generic"))
        << name;
  }
  EXPECT_THAT(symbols("192.0.2.7", Result::pass, "192-0-2-77.isp.example", "mx.example.org"), IsEmpty());
}

TEST(ClientFilter, Greetings) {
  EXPECT_THAT(symbols("192.0.2.7", Result::pass, "mx.example.org", "mx.in.example", true), ElementsAre("helo_ours"));
  EXPECT_THAT(symbols("192.0.2.7", Result::pass, "mx.example.org", "192.0.2.7"), ElementsAre("helo_address"));
  EXPECT_THAT(symbols("192.0.2.7", Result::pass, "mx.example.org", "friend"), ElementsAre("helo_not_qualified"));
  EXPECT_THAT(symbols("192.0.2.7", Result::pass, "mx.example.org", "[192.0.2.7]"), IsEmpty());
}

TEST(ClientFilter, OfOurOwnNetworksNothingIsAsked) {
  TestMail local("Subject: hello\n\nhello\n");
  local.client.helo = "printer";
  EXPECT_TRUE(local.judged_by(client()).empty());
  local.facts.authentication.emplace().spf_asked = false;
  EXPECT_TRUE(local.judged_by(client()).empty());
}

}  // namespace
}  // namespace doorward::filter
