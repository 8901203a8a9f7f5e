#include "filter/blocklists.h"

#include <gtest/gtest.h>

#include "filter/case.h"

namespace doorward::filter {
namespace {

TEST(Blocklists, HitsAreFindingsWithTheListsOwnPoints) {
  TestMail mail("Subject: x\n\n");
  EXPECT_TRUE(mail.judged_by(blocklists()).empty());
  mail.facts.list_hits = {{"psbl", ListKind::ip, "192.0.2.7", "client", "127.0.0.2", sheet::Points::of(2)},
                          {"dnswl", ListKind::ip, "192.0.2.7", "client", "127.0.5.2", sheet::Points::of(-1.5)},
                          {"uribl", ListKind::domain, "evil.com", "link", "127.0.0.2", sheet::Points::of(2.5)},
                          {"good", ListKind::domain, "good.com", "sender", "127.0.0.2", sheet::Points::of(-1)}};
  const auto findings = mail.judged_by(blocklists());
  ASSERT_EQ(findings.size(), 4U);
  EXPECT_EQ(findings[0].symbol, "address_listed");
  EXPECT_EQ(findings[0].evidence, "192.0.2.7 (client): psbl 127.0.0.2");
  EXPECT_EQ(findings[0].own_points, sheet::Points::of(2));
  EXPECT_EQ(findings[1].symbol, "address_known_good");
  EXPECT_EQ(findings[1].own_points, sheet::Points::of(-1.5));
  EXPECT_EQ(findings[2].symbol, "domain_listed");
  EXPECT_EQ(findings[3].symbol, "domain_known_good");
  EXPECT_TRUE(mail.unknown.empty());
}

}  // namespace
}  // namespace doorward::filter
