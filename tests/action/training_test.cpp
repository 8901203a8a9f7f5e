#include "action/training.h"

#include <gtest/gtest.h>

#include "action/verdicted.h"

namespace doorward::action {
namespace {

std::string learnt(const TestVerdict& mail) {
  std::string text;
  for (const auto& effect : mail.effects_of(training())) {
    text += effect.kind == Effect::Kind::train_ham ? "ham" : effect.kind == Effect::Kind::train_spam ? "spam" : "?";
  }
  return text;
}

TestVerdict with_scl(int64_t scl, sheet::Class klass = sheet::Class::clean) {
  TestVerdict mail("Subject: a\r\n\r\nx\r\n");
  mail.verdict.priced.scl = sheet::Scl(scl);
  mail.verdict.klass = klass;
  return mail;
}

TEST(Training, inbound_mail_by_its_scl) {
  EXPECT_EQ(learnt(with_scl(-5)), "ham");
  EXPECT_EQ(learnt(with_scl(-4)), "ham");
  EXPECT_EQ(learnt(with_scl(-3)), "");
  EXPECT_EQ(learnt(with_scl(6, sheet::Class::spam)), "");
  EXPECT_EQ(learnt(with_scl(7, sheet::Class::spam)), "spam");
  auto own = with_scl(3);
  own.settings.train_spam_from = 3;
  EXPECT_EQ(learnt(own), "spam");
}

TEST(Training, outbound_mail_that_is_clean_is_good) {
  auto mail = with_scl(1);
  mail.sheet.direction = sheet::Direction::outbound;
  EXPECT_EQ(learnt(mail), "ham");
  mail.verdict.klass = sheet::Class::spam;
  EXPECT_EQ(learnt(mail), "");
  mail.verdict.klass = sheet::Class::clean;
  mail.verdict.disposition = sheet::Disposition::refuse;
  EXPECT_EQ(learnt(mail), "");
}

TEST(Training, not_when_off_deferred_or_malware) {
  auto off = with_scl(9);
  off.settings.train = false;
  EXPECT_EQ(learnt(off), "");
  auto deferred = with_scl(9);
  deferred.verdict.disposition = sheet::Disposition::defer;
  EXPECT_EQ(learnt(deferred), "");
  EXPECT_EQ(learnt(with_scl(9, sheet::Class::virus)), "");
}

}  // namespace
}  // namespace doorward::action
