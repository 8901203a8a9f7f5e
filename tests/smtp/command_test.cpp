#include "smtp/command.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>

namespace doorward::smtp {
namespace {

using std::string_literals::operator""s;

// "501 5.5.4" where it was refused, "ok" else.
template <class T>
std::string outcome(const std::expected<T, Reply>& result) {
  if (result) return "ok";
  const EnhancedStatus& e = result.error().enhanced;
  return std::to_string(result.error().code) + " " + std::to_string(e.klass) + "." + std::to_string(e.subject) + "." +
         std::to_string(e.detail);
}

std::string mail_outcome(std::string_view argument, const Offered& offered = {}) {
  return outcome(parse_mail(argument, offered));
}
std::string rcpt_outcome(std::string_view argument, bool smtputf8 = false, const Offered& offered = {}) {
  return outcome(parse_rcpt(argument, offered, smtputf8));
}

TEST(SplitCommand, VerbInAnyCaseAndArgument) {
  EXPECT_EQ(split_command("mAiL FROM:<>").verb, Verb::mail);
  EXPECT_EQ(split_command("MAIL FROM:<>").argument, "FROM:<>");
  EXPECT_EQ(split_command("STARTTLS").verb, Verb::starttls);
  EXPECT_EQ(split_command("QUIT  ").argument, "");
  EXPECT_EQ(split_command("NOOP  a b\t").argument, "a b");
  EXPECT_EQ(split_command("RSET").verb, Verb::rset);
  EXPECT_EQ(split_command("XCLIENT NAME=x").verb, Verb::xclient);
  for (const std::string& line : {""s, " QUIT"s, "QUITX"s, "QUI"s, "DATA\0"s, "GET / HTTP/1.1"s, "\xFF"s}) {
    EXPECT_EQ(split_command(line).verb, Verb::unknown) << line;
  }
}

TEST(MailCommand, PathAndEveryParameter) {
  const auto mail = parse_mail(
      "from:<a@b.example> size=1000 BODY=8bitmime SMTPUTF8 RET=HDRS ENVID=QQ314+2B159 REQUIRETLS PRDR AUTH=<>", {});
  ASSERT_TRUE(mail) << mail.error().wire();
  EXPECT_EQ(mail->path.text(), "a@b.example");
  EXPECT_EQ(mail->size, 1000U);
  EXPECT_EQ(mail->body, mail::Body::eight_bit_mime);
  EXPECT_TRUE(mail->smtputf8 && mail->require_tls && mail->prdr);
  EXPECT_EQ(mail->ret, mail::DsnReturn::headers);
  EXPECT_EQ(mail->envid, "QQ314+2B159");
  EXPECT_FALSE(mail->odd);
}

TEST(MailCommand, NullPathAndDefaults) {
  const auto mail = parse_mail("FROM:<>", {});
  ASSERT_TRUE(mail);
  EXPECT_TRUE(mail->path.null);
  EXPECT_FALSE(mail->size || mail->smtputf8 || mail->require_tls || mail->prdr);
  EXPECT_EQ(mail->body, mail::Body::seven_bit);
  EXPECT_EQ(mail->ret, mail::DsnReturn::none);
}

TEST(MailCommand, ASpaceAfterTheColonIsAnOddity) {
  const auto mail = parse_mail("FROM: <a@b.example> SIZE=1", {});
  ASSERT_TRUE(mail);
  EXPECT_TRUE(mail->odd);
  EXPECT_EQ(mail->path.text(), "a@b.example");
}

TEST(MailCommand, SenderSyntaxIs517) {
  for (const char* argument :
       {"FROM:", "FROM:a@b.example", "FROM:<a@b.example", "FROM:<a>", "FROM:<a@b..example>", "FROM:<a@@b.example>",
        "FROM:<a b@c.example>", "FROM:<Postmaster>", "FROM:<a@b.example\\>"}) {
    EXPECT_EQ(mail_outcome(argument), "501 5.1.7") << argument;
  }
  EXPECT_EQ(mail_outcome("<a@b.example>"), "501 5.5.4");
  EXPECT_EQ(mail_outcome("TO:<a@b.example>"), "501 5.5.4");
  EXPECT_EQ(mail_outcome("FROM :<a@b.example>"), "501 5.5.4");
  EXPECT_EQ(mail_outcome(""), "501 5.5.4");
}

TEST(MailCommand, BadParametersAre554) {
  for (const char* parameters : {"SIZE",
                                 "SIZE=",
                                 "SIZE=x",
                                 "SIZE=-1",
                                 "SIZE=1 SIZE=2",
                                 "size=1 SIZE=1",
                                 "BODY",
                                 "BODY=BINARYMIME",
                                 "BODY=9BIT",
                                 "SMTPUTF8=1",
                                 "RET=ALL",
                                 "RET",
                                 "ENVID=",
                                 "ENVID=a+2",
                                 "ENVID=a+ZZ",
                                 "ENVID=a+0A",
                                 "REQUIRETLS=yes",
                                 "PRDR=1",
                                 "AUTH=a=b",
                                 "AUTH",
                                 "=1",
                                 "SIZE==1",
                                 "-SIZE=1",
                                 "SIZE=1\tBODY=7BIT",
                                 "RET=FULL RET=FULL"}) {
    EXPECT_EQ(mail_outcome("FROM:<a@b.example> "s + parameters), "501 5.5.4") << parameters;
  }
  EXPECT_EQ(mail_outcome("FROM:<a@b.example>SIZE=1"), "501 5.5.4");
  EXPECT_EQ(mail_outcome("FROM:<a@b.example> ENVID=" + std::string(101, 'a')), "501 5.5.4");
  EXPECT_EQ(mail_outcome("FROM:<a@b.example> ENVID=" + std::string(100, 'a')), "ok");
  std::string many;
  for (int i = 0; i < 30; ++i) many += " X" + std::to_string(i);
  EXPECT_EQ(mail_outcome("FROM:<a@b.example>" + many), "501 5.5.4");
}

TEST(MailCommand, UnknownAndUnofferedParametersAre555) {
  EXPECT_EQ(mail_outcome("FROM:<a@b.example> XYZZY"), "555 5.5.4");
  EXPECT_EQ(mail_outcome("FROM:<a@b.example> NOTIFY=NEVER"), "555 5.5.4");
  Offered nothing;
  nothing.smtputf8 = nothing.dsn = nothing.requiretls = nothing.size = nothing.eight_bit_mime = nothing.prdr = false;
  for (const char* parameter : {"SIZE=1", "BODY=7BIT", "SMTPUTF8", "RET=FULL", "ENVID=x", "REQUIRETLS", "PRDR"}) {
    EXPECT_EQ(mail_outcome("FROM:<a@b.example> "s + parameter, nothing), "555 5.5.4") << parameter;
    EXPECT_EQ(mail_outcome("FROM:<a@b.example> "s + parameter), "ok") << parameter;
  }
}

TEST(MailCommand, SizesBeyondTheLimitAre552) {
  Offered offered;
  offered.size_limit = 1000;
  EXPECT_EQ(mail_outcome("FROM:<> SIZE=1000", offered), "ok");
  EXPECT_EQ(mail_outcome("FROM:<> SIZE=1001", offered), "552 5.3.4");
  EXPECT_EQ(mail_outcome("FROM:<> SIZE=99999999999999999999", offered), "552 5.3.4");
  EXPECT_EQ(mail_outcome("FROM:<> SIZE=999999999999999999999", offered), "501 5.5.4");
  EXPECT_EQ(parse_mail("FROM:<> SIZE=99999999999999999999", {})->size, std::numeric_limits<uint64_t>::max());
}

TEST(MailCommand, Utf8NeedsItsParameter) {
  EXPECT_EQ(mail_outcome("FROM:<j\xC3\xB6rg@b.example>"), "553 5.6.7");
  EXPECT_EQ(mail_outcome("FROM:<a@b\xC3\xBC"
                         "cher.example> SIZE=1"),
            "553 5.6.7");
  EXPECT_EQ(mail_outcome("FROM:<j\xC3\xB6rg@b.example> SMTPUTF8"), "ok");
  EXPECT_EQ(mail_outcome("FROM:<j\xC3rg@b.example> SMTPUTF8"), "501 5.1.7");
}

TEST(RcptCommand, PathAndParameters) {
  const auto rcpt = parse_rcpt("to:<\"a b\"@c.example> NOTIFY=success,Delay ORCPT=rfc822;a+2Bb@c.example", {}, false);
  ASSERT_TRUE(rcpt) << rcpt.error().wire();
  EXPECT_EQ(rcpt->recipient.mailbox.local, "a b");
  EXPECT_TRUE(rcpt->recipient.notify.given && rcpt->recipient.notify.success && rcpt->recipient.notify.delay);
  EXPECT_FALSE(rcpt->recipient.notify.failure || rcpt->recipient.notify.never);
  EXPECT_EQ(rcpt->recipient.orcpt, "rfc822;a+2Bb@c.example");
  EXPECT_TRUE(parse_rcpt("TO:<a@b.example> NOTIFY=NEVER", {}, false)->recipient.notify.never);
  EXPECT_FALSE(parse_rcpt("TO:<a@b.example>", {}, false)->recipient.notify.given);
  EXPECT_TRUE(parse_rcpt("TO: <Postmaster>", {}, false)->odd);
}

TEST(RcptCommand, RecipientSyntaxIs513) {
  for (const char* argument : {"TO:", "TO:<>", "TO:a@b.example", "TO:<a>", "TO:<a@b.example", "TO:<@c.example>",
                               "TO:<a@b.example,c@d.example>", "TO:<a@[1.2.3]>"}) {
    EXPECT_EQ(rcpt_outcome(argument), "501 5.1.3") << argument;
  }
  EXPECT_EQ(rcpt_outcome("FROM:<a@b.example>"), "501 5.5.4");
}

TEST(RcptCommand, BadParameters) {
  for (const char* parameters :
       {"NOTIFY", "NOTIFY=", "NOTIFY=ALWAYS", "NOTIFY=NEVER,SUCCESS", "NOTIFY=SUCCESS,NEVER", "NOTIFY=SUCCESS,",
        "NOTIFY=SUCCESS,SUCCESS", "NOTIFY=,SUCCESS", "ORCPT", "ORCPT=a@b.example", "ORCPT=;a", "ORCPT=rfc822;a+",
        "ORCPT=rf c822;a", "ORCPT=rfc_822;a", "ORCPT=utf-8;\\x{D800}", "ORCPT=utf-8;\\x{20AC",
        "ORCPT=utf-8;j\xC3\xB6rg@b.example", "NOTIFY=NEVER NOTIFY=NEVER"}) {
    EXPECT_EQ(rcpt_outcome("TO:<a@b.example> "s + parameters), "501 5.5.4") << parameters;
  }
  EXPECT_EQ(rcpt_outcome("TO:<a@b.example> SIZE=1"), "555 5.5.4");
  EXPECT_EQ(rcpt_outcome("TO:<a@b.example> ORCPT=utf-8;a\\x{20AC}@b.example"), "ok");
  EXPECT_EQ(rcpt_outcome("TO:<a@b.example> ORCPT=utf-8;j\xC3\xB6rg@b.example", true), "ok");
  EXPECT_EQ(rcpt_outcome("TO:<a@b.example> ORCPT=rfc822;" + std::string(500, 'a')), "501 5.5.4");
  Offered no_dsn;
  no_dsn.dsn = false;
  EXPECT_EQ(rcpt_outcome("TO:<a@b.example> NOTIFY=NEVER", false, no_dsn), "555 5.5.4");
}

TEST(RcptCommand, Utf8NeedsItsTransaction) {
  EXPECT_EQ(rcpt_outcome("TO:<j\xC3\xB6rg@b.example>", false), "553 5.6.7");
  EXPECT_EQ(rcpt_outcome("TO:<j\xC3\xB6rg@b.example>", true), "ok");
}

TEST(Bdat, SizeAndLast) {
  EXPECT_EQ(*parse_bdat("1000"), (std::pair<uint64_t, bool>(1000, false)));
  EXPECT_EQ(*parse_bdat("0 last"), (std::pair<uint64_t, bool>(0, true)));
  for (const char* argument :
       {"", "LAST", "-1", "+1", "1x", "1LAST", "1 LAST LAST", "1 FIRST", "0x10", "99999999999999999999", "1 "}) {
    EXPECT_EQ(outcome(parse_bdat(argument)), "501 5.5.4") << argument;
  }
}

TEST(Hello, AsLiberalAsPractice) {
  for (const char* name : {"mail.example.org", "localhost", "MY_PC", "host.example.", "[192.0.2.1]",
                           "[IPv6:2001:db8::1]", "192.0.2.1", "2001:db8::1", "-host-"}) {
    EXPECT_EQ(parse_hello(name, true).value_or("refused"), name);
  }
  for (const std::string& name : {""s, "a b"s, "a\tb"s, "a\0b"s, "a\nb"s, "a..b"s, "."s, ".a"s, "[192.0.2.1"s, "[x y]"s,
                                  "h\xC3\xB6st"s, "<a>"s, "a@b"s, "$host"s, std::string(256, 'a')}) {
    EXPECT_EQ(outcome(parse_hello(name, false)), "501 5.5.4") << name;
  }
}

TEST(Xclient, EveryAttribute) {
  const auto x = parse_xclient(
      "NAME=mail.example.org ADDR=IPV6:2001:db8::1 PORT=1234 PROTO=ESMTP HELO=a+2Bb LOGIN=user DESTADDR=192.0.2.1 "
      "destport=25");
  ASSERT_TRUE(x);
  EXPECT_EQ(x->name, "mail.example.org");
  EXPECT_EQ(x->address->text(), "2001:db8::1");
  EXPECT_EQ(x->port, 1234);
  EXPECT_EQ(x->esmtp, true);
  EXPECT_EQ(x->helo, "a+b");
  EXPECT_EQ(x->login, "user");
  EXPECT_EQ(x->destination_address->text(), "192.0.2.1");
  EXPECT_EQ(x->destination_port, 25);
}

TEST(Xclient, WhatIsNotKnown) {
  const auto x = parse_xclient("NAME=[TEMPUNAVAIL] ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE] HELO=[unavailable]");
  ASSERT_TRUE(x);
  EXPECT_EQ(x->name, "");
  EXPECT_TRUE(x->name_temporary_failure);
  EXPECT_TRUE(x->address->is_unspecified());
  EXPECT_EQ(x->port, 0);
  EXPECT_EQ(x->helo, "");
  EXPECT_FALSE(x->login || x->esmtp || x->destination_address || x->destination_port);
}

TEST(Xclient, Refused) {
  for (const char* argument : {"", "NAME", "FOO=bar", "ADDR=example.org", "ADDR=", "PORT=99999", "PORT=x", "PROTO=HTTP",
                               "NAME=a+0Ab", "NAME=a+2", "NAME=a NAME=b", "ADDR=192.0.2.1 ADDR=192.0.2.2"}) {
    EXPECT_EQ(outcome(parse_xclient(argument)), "501 5.5.4") << argument;
  }
}

}  // namespace
}  // namespace doorward::smtp
