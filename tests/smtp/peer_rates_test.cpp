#include "smtp/peer_rates.h"

#include <gtest/gtest.h>

namespace doorward::smtp {
namespace {

using namespace std::chrono_literals;

const mail::IpAddress kOne = *mail::IpAddress::parse("192.0.2.1"), kTwo = *mail::IpAddress::parse("192.0.2.2"),
                      kSix = *mail::IpAddress::parse("2001:db8::1"), kSixToo = *mail::IpAddress::parse("2001:db8::2");
constexpr SteadyTime kNow{90s};

TEST(PeerRates, counts_each_minute_anew) {
  PeerRates rates;
  EXPECT_TRUE(rates.count(kOne, 128, 2, kNow));
  EXPECT_TRUE(rates.count(kOne, 128, 2, kNow + 1s));
  EXPECT_FALSE(rates.count(kOne, 128, 2, kNow + 29s));
  EXPECT_TRUE(rates.count(kTwo, 128, 2, kNow + 29s));
  EXPECT_TRUE(rates.count(kOne, 128, 2, kNow + 30s));
}

TEST(PeerRates, networks_are_one) {
  PeerRates rates;
  EXPECT_TRUE(rates.count(kOne, 120, 1, kNow));
  EXPECT_FALSE(rates.count(kTwo, 120, 1, kNow));
  EXPECT_TRUE(rates.count(kOne, 128, 1, kNow)) << "the address has a count of its own";
  EXPECT_TRUE(rates.count(kSix, 64, 1, kNow));
  EXPECT_FALSE(rates.count(kSixToo, 64, 1, kNow));
}

TEST(PeerRates, none_and_unknown_are_not_counted) {
  PeerRates rates;
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(rates.count(kOne, 128, 0, kNow));
    EXPECT_TRUE(rates.count(mail::IpAddress(), 128, 1, kNow));
  }
}

TEST(PeerRates, a_flood_takes_no_more_room) {
  PeerRates rates;
  for (uint32_t i = 0; i < PeerRates::kMostNetworks; ++i) (void)rates.count(mail::IpAddress::v4(i + 1), 128, 1, kNow);
  EXPECT_FALSE(rates.count(mail::IpAddress::v4(1), 128, 1, kNow));
  EXPECT_TRUE(rates.count(kSix, 128, 1, kNow));
  EXPECT_TRUE(rates.count(kSix, 128, 1, kNow)) << "no room: not counted";
}

}  // namespace
}  // namespace doorward::smtp
