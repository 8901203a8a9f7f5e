#include "mailauth/dmarc_record.h"

#include <gtest/gtest.h>

namespace doorward::mailauth {
namespace {

using Uris = std::vector<std::string>;

TEST(DmarcRecord, IsKnownByItsVersion) {
  for (const std::string_view text : {"v=DMARC1", "v=DMARC1;", "V = DMARC1 ; p=none", "v=DMARC1;p=none;"}) {
    EXPECT_TRUE(parse_dmarc_record(text)) << text;
  }
  for (const std::string_view text : {"", "v=dmarc1; p=none", "v=DMARC2; p=none", "v=DMARC1 p=none", "p=none; v=DMARC1",
                                      " v=DMARC1; p=none", "v=DMARC10", "vv=DMARC1", "v=spf1 -all", "=DMARC1"}) {
    EXPECT_FALSE(parse_dmarc_record(text)) << text;
  }
}

TEST(DmarcRecord, ReadsEveryTag) {
  const auto record = parse_dmarc_record(
      "v=DMARC1; p=Reject; sp = quarantine ;np=none; adkim=s; ASPF=S; t=y; psd=n; fo=1:d:s;"
      "rua=mailto:a@example.com!10m , https://x.example/r;ruf=mailto:f@example.com; pct=10; rf=afrf; ri=3600; foo");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->policy, DmarcPolicy::reject);
  EXPECT_EQ(record->subdomains, DmarcPolicy::quarantine);
  EXPECT_EQ(record->nonexistent, DmarcPolicy::none);
  EXPECT_TRUE(record->strict_dkim && record->strict_spf && record->testing);
  EXPECT_EQ(record->suffix, DmarcSuffix::no);
  EXPECT_EQ(record->aggregate, (Uris{"mailto:a@example.com", "https://x.example/r"}));
  EXPECT_EQ(record->failure, Uris{"mailto:f@example.com"});
  EXPECT_FALSE(record->failure_options.all_fail);
  EXPECT_TRUE(record->failure_options.any_fail && record->failure_options.dkim && record->failure_options.spf);
  EXPECT_FALSE(record->malformed_policy);
  EXPECT_TRUE(record->usable());
}

TEST(DmarcRecord, SizesBehindAddressesAreLimits) {
  const auto record = parse_dmarc_record(
      "v=DMARC1; p=none; rua=mailto:a@b.c!10m, mailto:b@b.c ! 500K,nothing,mailto:c@b.c,mailto:d@b.c!x,"
      "mailto:e@b.c!4096,mailto:f@b.c!99999999999999t,mailto:g@b.c!5mm");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->aggregate.size(), 7U);
  EXPECT_EQ(record->aggregate_limits,
            (std::vector<uint64_t>{10U << 20U, 500U << 10U, 0, 0, 4096, uint64_t{1} << 50U, 0}));
}

TEST(DmarcRecord, FallsBackToTheDefaults) {
  const auto record = parse_dmarc_record("v=DMARC1; p=none; adkim=x; aspf=; t=maybe; psd=?; fo=z; fo=1; rua=nothing");
  ASSERT_TRUE(record);
  EXPECT_FALSE(record->strict_dkim || record->strict_spf || record->testing);
  EXPECT_EQ(record->suffix, DmarcSuffix::unsaid);
  EXPECT_TRUE(record->failure_options.all_fail);
  EXPECT_FALSE(record->failure_options.any_fail);  // also because of no ruf=
  EXPECT_TRUE(record->aggregate.empty());
  EXPECT_FALSE(record->subdomains || record->nonexistent);
}

TEST(DmarcRecord, TheFirstOfTwoTagsCounts) {
  EXPECT_EQ(parse_dmarc_record("v=DMARC1; p=none; p=reject")->policy, DmarcPolicy::none);
}

TEST(DmarcRecord, WithoutAPolicyIsOfUseForReportsAlone) {
  EXPECT_FALSE(parse_dmarc_record("v=DMARC1;")->usable());
  EXPECT_FALSE(parse_dmarc_record("v=DMARC1; p=rejet")->usable());
  EXPECT_FALSE(parse_dmarc_record("v=DMARC1; p=reject; sp=all")->usable());
  EXPECT_FALSE(parse_dmarc_record("v=DMARC1; p=reject; np=")->usable());
  EXPECT_FALSE(parse_dmarc_record("v=DMARC1; p=rejet; rua=a@example.com")->usable());
  EXPECT_TRUE(parse_dmarc_record("v=DMARC1; p=rejet; rua=mailto:a@example.com")->usable());
  EXPECT_TRUE(parse_dmarc_record("v=DMARC1; rua=mailto:a@example.com")->usable());
}

TEST(DmarcRecord, IsBounded) {
  std::string uris;
  for (int i = 0; i < 1000; ++i) uris += "mailto:a@b.c,";
  EXPECT_EQ(parse_dmarc_record("v=DMARC1; rua=" + uris)->aggregate.size(), kMostDmarcUris);
  EXPECT_FALSE(parse_dmarc_record("v=DMARC1;" + std::string(kMostDmarcRecord, ' ') + ";p=reject")->policy);
}

}  // namespace
}  // namespace doorward::mailauth
