#include "net/dns_cache.h"

#include <gtest/gtest.h>

namespace doorward::net {
namespace {

using namespace std::chrono_literals;

DnsAnswer answer(DnsStatus status, std::chrono::seconds ttl, size_t octets = 4) {
  DnsAnswer result = dns_failure(status);
  result.ttl = ttl;
  if (status == DnsStatus::found) {
    result.records = std::make_shared<DnsRecords>(DnsRecords{DnsType::a, "", {std::string(octets, 'x')}});
  }
  return result;
}

class DnsCacheTest : public testing::Test {
 protected:
  static constexpr DnsCache::Limits kLimits{1600, 1 << 20, 2s, 1000s, 100s, 5s, 30s};
  // For how long the answer is kept.
  std::chrono::seconds kept(const DnsAnswer& given) {
    cache_.store("n.example", given, DnsType::a, now_);
    const auto hit = cache_.find("n.example", DnsType::a, now_);
    return hit ? hit->ttl : 0s;
  }
  DnsCache cache_{kLimits};
  SteadyTime now_{1h};
};

TEST_F(DnsCacheTest, TtlsStayWithinTheirBounds) {
  EXPECT_EQ(kept(answer(DnsStatus::found, 60s)), 60s);
  EXPECT_EQ(kept(answer(DnsStatus::found, 0s)), 2s);
  EXPECT_EQ(kept(answer(DnsStatus::found, 9999s)), 1000s);
  EXPECT_EQ(kept(answer(DnsStatus::nxdomain, 50s)), 50s);
  EXPECT_EQ(kept(answer(DnsStatus::no_data, 9999s)), 100s);
  EXPECT_EQ(kept(answer(DnsStatus::timeout, 60s)), 0s);
  EXPECT_EQ(kept(answer(DnsStatus::no_room, 60s)), 0s);
}

TEST_F(DnsCacheTest, TheTtlRunsDown) {
  EXPECT_EQ(kept(answer(DnsStatus::found, 60s)), 60s);
  EXPECT_EQ(cache_.find("n.example", DnsType::a, now_ + 59s)->ttl, 1s);
  EXPECT_TRUE(cache_.find("n.example", DnsType::a, now_ + 59s)->cached);
  EXPECT_FALSE(cache_.find("n.example", DnsType::aaaa, now_));
  EXPECT_FALSE(cache_.find("n.example", DnsType::a, now_ + 60s));
  EXPECT_EQ(cache_.size(), 0U);
}

TEST_F(DnsCacheTest, FailuresInARowAreKeptLonger) {
  for (const auto expected : {5s, 10s, 20s, 30s, 30s}) {
    EXPECT_EQ(kept(answer(DnsStatus::servfail, 0s)), expected);
    now_ += expected;
    EXPECT_FALSE(cache_.find("n.example", DnsType::a, now_));
  }
  EXPECT_EQ(kept(answer(DnsStatus::found, 60s)), 60s);
  EXPECT_EQ(kept(answer(DnsStatus::bogus, 0s)), 5s) << "an answer in between begins anew";
  now_ += 1h;
  EXPECT_EQ(kept(answer(DnsStatus::bogus, 0s)), 5s) << "as does time";
}

TEST_F(DnsCacheTest, ItsAnswersAreBounded) {
  for (int i = 0; i < 10'000; ++i) {
    cache_.store(std::to_string(i) + ".example", answer(DnsStatus::found, 60s), DnsType::a, now_);
    EXPECT_TRUE(cache_.find("0.example", DnsType::a, now_)) << "what is used stays";
  }
  EXPECT_LE(cache_.size(), 1600U);
  EXPECT_GE(cache_.size(), 1500U);
}

TEST_F(DnsCacheTest, ItsOctetsAreBounded) {
  for (int i = 0; i < 1000; ++i) {
    cache_.store(std::to_string(i) + ".example", answer(DnsStatus::found, 60s, 10'000), DnsType::a, now_);
  }
  EXPECT_LE(cache_.size(), 104U);
  EXPECT_GE(cache_.size(), 80U);
  cache_.store("huge.example", answer(DnsStatus::found, 60s, 100'000), DnsType::a, now_);
  EXPECT_FALSE(cache_.find("huge.example", DnsType::a, now_));
}

}  // namespace
}  // namespace doorward::net
