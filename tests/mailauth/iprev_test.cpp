#include "mailauth/iprev.h"

#include <gtest/gtest.h>

#include "delivery/core_runner.h"
#include "net/fake_resolver.h"

namespace doorward::mailauth {
namespace {

using namespace std::chrono_literals;

class Iprev : public testing::Test {
 protected:
  IprevOutcome check(const char* ip) {
    IprevOutcome outcome;
    runner_.run([&]() -> Task<void> {
      outcome = co_await check_iprev(runner_.core(), names_, *mail::IpAddress::parse(ip),
                                     std::chrono::steady_clock::now() + 300ms);
    });
    return outcome;
  }
  doorward::test::CoreRunner runner_;
  net::test::FakeResolver names_;
};

TEST_F(Iprev, ANameThatLeadsBackIsConfirmed) {
  names_.ptr("1.2.0.192.in-addr.arpa", "forged.example");
  names_.ptr("1.2.0.192.in-addr.arpa", "mx.example");
  names_.a("forged.example", "198.51.100.1");
  names_.a("mx.example", "192.0.2.1");
  const auto found = check("192.0.2.1");
  EXPECT_EQ(found.result, Result::pass);
  EXPECT_EQ(found.name, "mx.example");
}

TEST_F(Iprev, SixAsWell) {
  names_.ptr("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "mx.example");
  names_.aaaa("mx.example", "2001:db8::1");
  EXPECT_EQ(check("2001:db8::1").result, Result::pass);
}

TEST_F(Iprev, WithoutAWayBackItIsNone) {
  EXPECT_EQ(check("192.0.2.1").result, Result::permerror) << "no name at all";
  names_.ptr("1.2.0.192.in-addr.arpa", "mx.example");
  names_.a("mx.example", "192.0.2.99");
  const auto found = check("192.0.2.1");
  EXPECT_EQ(found.result, Result::fail);
  EXPECT_EQ(found.name, "mx.example");
}

TEST_F(Iprev, ASilentDnsSaysNothing) {
  names_.ptr("1.2.0.192.in-addr.arpa", "mx.example");
  names_.status("mx.example", net::DnsType::a, net::DnsStatus::servfail);
  EXPECT_EQ(check("192.0.2.1").result, Result::temperror);
  names_.die();
  EXPECT_EQ(check("192.0.2.1").result, Result::temperror);
}

TEST_F(Iprev, AnOwnerOfManyNamesDoesNotKeepUsBusy) {
  for (int i = 0; i < 100; ++i) names_.ptr("1.2.0.192.in-addr.arpa", "n" + std::to_string(i) + ".example");
  check("192.0.2.1");
  EXPECT_EQ(names_.asked(), 1 + kMostReverseNames);
}

}  // namespace
}  // namespace doorward::mailauth
