#include "delivery/commands.h"

#include <gtest/gtest.h>

namespace doorward::delivery {
namespace {

mail::Mailbox mailbox(std::string_view text) { return mail::parse_mailbox(text).value(); }

smtp::Extensions everything() {
  smtp::Extensions all;
  all.pipelining = all.size = all.eight_bit_mime = all.smtputf8 = all.chunking = all.dsn = all.requiretls = true;
  return all;
}

mail::Envelope full_envelope() {
  mail::Envelope envelope;
  envelope.from.null = false;
  envelope.from.mailbox = mailbox("a@b.example");
  envelope.declared_size = 4711;
  envelope.body = mail::Body::eight_bit_mime;
  envelope.smtputf8 = true;
  envelope.require_tls = true;
  envelope.ret = mail::DsnReturn::headers;
  envelope.envid = "QQ+2B1";
  return envelope;
}

TEST(Commands, MailHasOnlyWhatIsOffered) {
  EXPECT_EQ(mail_command(full_envelope(), {}), "MAIL FROM:<a@b.example>");
  EXPECT_EQ(mail_command(full_envelope(), everything()),
            "MAIL FROM:<a@b.example> SIZE=4711 BODY=8BITMIME SMTPUTF8 REQUIRETLS RET=HDRS ENVID=QQ+2B1");
  EXPECT_EQ(mail_command(mail::Envelope{}, everything()), "MAIL FROM:<>");
}

TEST(Commands, RcptHasOnlyWhatIsOffered) {
  mail::Recipient recipient{mailbox("c@d.example"), {}, "rfc822;x@y.example"};
  recipient.notify.given = recipient.notify.success = recipient.notify.delay = true;
  EXPECT_EQ(rcpt_command(recipient, {}), "RCPT TO:<c@d.example>");
  EXPECT_EQ(rcpt_command(recipient, everything()),
            "RCPT TO:<c@d.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@y.example");
  recipient.notify = {};
  recipient.notify.given = recipient.notify.never = true;
  recipient.orcpt.clear();
  EXPECT_EQ(rcpt_command(recipient, everything()), "RCPT TO:<c@d.example> NOTIFY=NEVER");
}

TEST(Commands, WhatTheBackendLacksIsRefusedWhereItIsNeeded) {
  const mail::Recipient ascii{mailbox("c@d.example"), {}, {}};
  const mail::Recipient utf8{mailbox("j\xC3\xBCrgen@d.example"), {}, {}};
  mail::Envelope plain;
  EXPECT_FALSE(unsupported(plain, &ascii, {}, false));
  EXPECT_EQ(unsupported(plain, &utf8, {}, false)->enhanced, (smtp::EnhancedStatus{5, 6, 7}));
  EXPECT_FALSE(unsupported(plain, &utf8, everything(), false));
  plain.smtputf8 = true;
  EXPECT_EQ(unsupported(plain, &ascii, {}, false)->code, 553);

  mail::Envelope secret;
  secret.require_tls = true;
  EXPECT_EQ(unsupported(secret, &ascii, {}, true)->enhanced, (smtp::EnhancedStatus{5, 7, 30}));
  EXPECT_EQ(unsupported(secret, &ascii, everything(), false)->enhanced, (smtp::EnhancedStatus{5, 7, 30}));
  EXPECT_FALSE(unsupported(secret, &ascii, everything(), true));

  mail::Envelope big;
  big.declared_size = 1001;
  smtp::Extensions small;
  small.size = true;
  small.size_limit = 1000;
  EXPECT_EQ(unsupported(big, &ascii, small, false)->enhanced, (smtp::EnhancedStatus{5, 3, 4}));
  big.declared_size = 1000;
  EXPECT_FALSE(unsupported(big, &ascii, small, false));
}

}  // namespace
}  // namespace doorward::delivery
