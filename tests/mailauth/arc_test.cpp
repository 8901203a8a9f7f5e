#include "mailauth/arc.h"

#include <gtest/gtest.h>

#include "mailauth/arc_seal.h"
#include "mailauth/arc_set.h"
#include "mailauth/dkim_mail.h"

namespace doorward::mailauth {
namespace {

using namespace test;

const char kMail[] = "From: a@example.org\r\nTo: b@example.net\r\nSubject: one\r\n\r\nHello you\r\n";

class Arc : public testing::Test {
 protected:
  Arc() {
    verifier.zone.txt("s._domainkey.one.example", key.record());
    verifier.zone.txt("s._domainkey.two.example", key.record());
  }
  std::string seal(const std::string& raw, const std::string& domain = "one.example") {
    SignedMail mail{std::string_view(raw)};
    const auto sealed =
        seal_arc(mail, verifier.arc(raw), key,
                 {.domain = domain, .selector = "s", .results = domain + "; spf=pass", .now = at(kNow)});
    EXPECT_TRUE(sealed);
    return sealed.value_or("") + raw;
  }
  const SigningKey key = SigningKey::read("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=").value();
  Verifier verifier;
};

TEST_F(Arc, OursPasses) {
  EXPECT_EQ(verifier.arc(kMail).cv, Result::none);
  const std::string once = seal(kMail);
  const ArcOutcome first = verifier.arc(once);
  EXPECT_EQ(first.cv, Result::pass) << first.reason << once;
  EXPECT_EQ(first.oldest_pass, 0U);
  const ArcOutcome second = verifier.arc(seal(once, "two.example"));
  EXPECT_EQ(second.cv, Result::pass) << second.reason;
  ASSERT_EQ(second.sealers.size(), 2U);
  EXPECT_EQ(second.sealers[0].domain, "one.example");
  EXPECT_EQ(second.sealers[1].domain, "two.example");
  EXPECT_EQ(second.instances, 2U);
}

TEST_F(Arc, ChangeAfterTheFirstSealIsToldByOldestPass) {
  std::string raw = seal(kMail);
  const ArcOutcome before = verifier.arc(raw);
  raw.replace(raw.find("Subject: one"), 12, "Subject: [list] one");
  // The second sealer had the mail before it changed it.
  SignedMail mail{std::string_view(raw)};
  const auto sealed = seal_arc(mail, before, key, {.domain = "two.example", .selector = "s", .results = "x; none"});
  const ArcOutcome outcome = verifier.arc(sealed.value() + raw);
  EXPECT_EQ(outcome.cv, Result::pass) << outcome.reason;
  EXPECT_EQ(outcome.oldest_pass, 2U);
}

TEST_F(Arc, ChangedMailFailsAndIsSealedAsFailed) {
  std::string raw = seal(kMail) + "more\r\n";
  const ArcOutcome seen = verifier.arc(raw);
  EXPECT_EQ(seen.cv, Result::fail);
  EXPECT_EQ(seen.reason, "ARC-Message-Signature of i=1: the body was changed");
  EXPECT_FALSE(seen.ended);
  const std::string again = seal(raw, "two.example");
  EXPECT_NE(again.find("cv=fail"), std::string::npos);
  const ArcOutcome after = verifier.arc(again);
  EXPECT_EQ(after.cv, Result::fail);
  EXPECT_TRUE(after.ended);
  SignedMail mail{std::string_view(again)};
  EXPECT_FALSE(seal_arc(mail, after, key, {.domain = "one.example", .selector = "s", .results = "x; none"}));
}

TEST_F(Arc, ChainOfFiftySets) {
  std::string raw = kMail;
  for (int i = 0; i < 50; ++i) raw = seal(raw);
  const ArcOutcome outcome = verifier.arc(raw);
  EXPECT_EQ(outcome.cv, Result::pass) << outcome.reason;
  EXPECT_EQ(outcome.instances, 50U);
  SignedMail mail{std::string_view(raw)};
  EXPECT_FALSE(seal_arc(mail, outcome, key, {.domain = "one.example", .selector = "s", .results = "x; none"}));
}

TEST_F(Arc, NameServersInTrouble) {
  verifier.zone.status("s._domainkey.two.example", net::DnsType::txt, net::DnsStatus::servfail);
  const std::string raw = seal(kMail, "two.example");
  const ArcOutcome outcome = verifier.arc(raw);
  EXPECT_EQ(outcome.cv, Result::fail);
  EXPECT_TRUE(outcome.temporary);
}

TEST_F(Arc, InstancesOfResults) {
  EXPECT_EQ(read_arc_results(" (c) i (c) = 12 (c) ; mx.example; none")->instance, 12U);
  EXPECT_EQ(read_arc_results("i=1; mx.example; none")->payload, "mx.example; none");
  for (const char* text :
       {"", "i=0; x", "i=51; x", "i=; x", "i=1 x", "x; i=1", "i=1", "(i=1; x", "i=1x; y", "i=001; y"}) {
    EXPECT_FALSE(read_arc_results(text)) << text;
  }
}

}  // namespace
}  // namespace doorward::mailauth
