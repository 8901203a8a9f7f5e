#include "gateway/sender_domain.h"

#include <gtest/gtest.h>

#include "delivery/core_runner.h"
#include "net/fake_resolver.h"

namespace doorward::gateway {
namespace {

using namespace std::chrono_literals;
using net::DnsStatus;
using net::DnsType;

class SenderDomain : public testing::Test {
 protected:
  // The enhanced code of the reply, or "fine".
  std::string verdict(const std::string& domain) {
    std::optional<smtp::Reply> doubt;
    runner_.run([&]() -> Task<void> {
      doubt = co_await doubt_sender_domain(runner_.core(), names_, domain, std::chrono::steady_clock::now() + 300ms);
    });
    if (!doubt) return "fine";
    const auto& code = doubt->enhanced;
    return std::to_string(doubt->code) + " " + std::to_string(code.klass) + "." + std::to_string(code.subject) + "." +
           std::to_string(code.detail);
  }
  test::CoreRunner runner_;
  net::test::FakeResolver names_;
};

TEST_F(SenderDomain, ExistsWithAnMxOrAnAddress) {
  names_.mx("mx.example", 10, "elsewhere.example");
  names_.a("v4.example", "192.0.2.1");
  names_.aaaa("v6.example", "2001:db8::1");
  for (const char* domain : {"mx.example", "v4.example", "v6.example"}) EXPECT_EQ(verdict(domain), "fine") << domain;
}

TEST_F(SenderDomain, IsRefusedWhereNobodyCouldAnswer) {
  names_.mx("null.example", 0, ".");
  names_.a("null.example", "192.0.2.1");
  names_.txt("text.example", "no mail here");
  EXPECT_EQ(verdict("null.example"), "550 5.7.27");
  EXPECT_EQ(verdict("text.example"), "550 5.1.8");
  EXPECT_EQ(verdict("gone.example"), "550 5.1.8");
}

TEST_F(SenderDomain, IsPutOffWhereTheDnsDoesNotSay) {
  names_.status("broken.example", DnsType::mx, DnsStatus::servfail);
  names_.status("half.example", DnsType::mx, DnsStatus::no_data);
  names_.status("half.example", DnsType::aaaa, DnsStatus::servfail);
  EXPECT_EQ(verdict("broken.example"), "451 4.4.3");
  EXPECT_EQ(verdict("half.example"), "451 4.4.3");
  names_.die();
  EXPECT_EQ(verdict("any.example"), "451 4.4.3");
}

}  // namespace
}  // namespace doorward::gateway
