#include "delivery/dsn.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "delivery/dsn_address.h"
#include "mail/utf8.h"
#include "mime/headers.h"
#include "mime/message.h"
#include "mime/parameters.h"

namespace doorward::delivery {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kMail =
    "Received: from x\r\nFrom: <anna@out.example>\r\nTo: <ben@in.example>\r\nSubject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\n"
    "Message-ID: <one@out.example>\r\n\r\nHello Ben,\r\nthe secret is 42.\r\n";

mail::Mailbox mailbox(std::string_view text) { return mail::parse_mailbox(text).value(); }

class DsnTest : public testing::Test {
 protected:
  DsnTest() {
    subject_.sender = mailbox("anna@out.example");
    subject_.arrived = SystemTime(1'795'400'000s);
    subject_.content = kMail;
    options_.host = "gate.example";
    options_.now = SystemTime(1'795'403'600s);
    add("ben@in.example");
  }
  DsnRecipient& add(std::string_view address) {
    recipients_.emplace_back();
    recipients_.back().address = mailbox(address);
    return recipients_.back();
  }
  void make() {
    dsn_ = make_dsn(subject_, recipients_, options_);
    message_.emplace(mime::Message::parse(dsn_.content));
  }
  const mime::Part& part(size_t index) const {
    size_t of_root = 0;
    for (const mime::Part& part : message_->parts()) {
      if (part.index != 0 && part.parent == 0 && of_root++ == index) return part;
    }
    ADD_FAILURE() << "no part " << index << " in\n" << dsn_.content;
    return message_->parts()[0];
  }
  std::string type(size_t index) const { return part(index).type + "/" + part(index).subtype; }
  std::string human() const { return message_->decoded(part(0)); }
  std::string returned() const { return std::string(part(2).body); }
  // The fields of one group of the status part: 0 is the mail's, then each recipient's.
  std::string status(size_t group, std::string_view field) const {
    std::string_view body = part(1).body;
    for (; group > 0; --group) body.remove_prefix(std::min(body.find("\r\n\r\n") + 4, body.size()));
    body = body.substr(0, body.find("\r\n\r\n"));
    mime::Oddities ignored;
    const mime::Limits limits;
    mime::Headers headers;
    auto section = mime::scan_headers(body, 0, limits, false, 0, ignored);
    headers.mutable_fields() = std::move(section.fields);
    return headers.unfolded(field);
  }

  DsnSubject subject_;
  std::vector<DsnRecipient> recipients_;
  DsnOptions options_;
  Dsn dsn_;
  std::optional<mime::Message> message_;
};

TEST_F(DsnTest, IsAReportFromAMachineToTheSender) {
  make();
  EXPECT_EQ(dsn_.to, subject_.sender);
  EXPECT_EQ(dsn_.body, mail::Body::seven_bit);
  EXPECT_FALSE(dsn_.smtputf8);
  const mime::Headers& headers = message_->headers();
  EXPECT_EQ(headers.unfolded("From"), "Mail delivery <MAILER-DAEMON@gate.example>");
  EXPECT_EQ(headers.unfolded("To"), "<anna@out.example>");
  EXPECT_EQ(headers.unfolded("Auto-Submitted"), "auto-replied");
  EXPECT_EQ(headers.unfolded("MIME-Version"), "1.0");
  EXPECT_EQ(headers.unfolded("Message-ID"), dsn_.id);
  EXPECT_EQ(headers.unfolded("In-Reply-To"), "<one@out.example>");
  EXPECT_THAT(headers.unfolded("Date"), testing::MatchesRegex("[A-Z][a-z]+, [0-9]+ Nov 2026 [0-9:]+ \\+0000"));
  EXPECT_EQ(headers.unfolded("Subject"), "Your mail could not be delivered");
  const mime::ContentField content = mime::read_content_field(headers.unfolded("Content-Type"));
  EXPECT_EQ(content.main, "multipart/report");
  EXPECT_EQ(content.find("report-type")->value, "delivery-status");
  EXPECT_TRUE(message_->oddities().empty()) << message_->oddities()[0].name;
  EXPECT_EQ(type(0), "text/plain");
  EXPECT_EQ(type(1), "message/delivery-status");
  EXPECT_EQ(type(2), "text/rfc822-headers");
  EXPECT_TRUE(is_automatic_answer(dsn_.content));
}

TEST_F(DsnTest, StatusOfAFailure) {
  subject_.envid = "QQ+2B314";
  subject_.received_from = "client.out.example";
  DsnRecipient& ben = recipients_[0];
  ben.orcpt = "rfc822;Ben+2Bx@in.example";
  ben.status = {5, 1, 1};
  ben.diagnostic = "550 5.1.1 No such user\r\nInjected: yes";
  ben.remote_mta = "mx.in.example";
  ben.last_attempt = options_.now;
  ben.retry_until = options_.now;
  make();
  EXPECT_EQ(status(0, "Original-Envelope-Id"), "QQ+314");
  EXPECT_EQ(status(0, "Reporting-MTA"), "dns; gate.example");
  EXPECT_EQ(status(0, "Received-From-MTA"), "dns; client.out.example");
  EXPECT_THAT(status(0, "Arrival-Date"), HasSubstr("Nov 2026"));
  EXPECT_EQ(status(1, "Original-Recipient"), "rfc822; Ben+x@in.example");
  EXPECT_EQ(status(1, "Final-Recipient"), "rfc822; ben@in.example");
  EXPECT_EQ(status(1, "Action"), "failed");
  EXPECT_EQ(status(1, "Status"), "5.1.1");
  EXPECT_EQ(status(1, "Remote-MTA"), "dns; mx.in.example");
  EXPECT_EQ(status(1, "Diagnostic-Code"), "smtp; 550 5.1.1 No such user Injected: yes");
  EXPECT_EQ(status(1, "Injected"), "");
  EXPECT_THAT(status(1, "Last-Attempt-Date"), HasSubstr("+0000"));
  EXPECT_EQ(status(1, "Will-Retry-Until"), "") << "nothing will be tried";
}

TEST_F(DsnTest, WhatIsNotToldIsNotThere) {
  make();
  for (const char* field : {"Original-Envelope-Id", "Received-From-MTA"}) EXPECT_EQ(status(0, field), "") << field;
  for (const char* field : {"Original-Recipient", "Remote-MTA", "Diagnostic-Code", "Last-Attempt-Date"}) {
    EXPECT_EQ(status(1, field), "") << field;
  }
  EXPECT_EQ(status(1, "Status"), "5.0.0");
}

TEST_F(DsnTest, RecipientsHaveAGroupEachAndTheWorstGivesTheTitle) {
  DsnRecipient& carl = add("carl@in.example");
  carl.action = DsnAction::delayed;
  carl.retry_until = options_.now + std::chrono::days(5);
  carl.status = {4, 4, 1};
  add("dora@in.example").action = DsnAction::relayed;
  recipients_[0].action = DsnAction::delivered;
  make();
  EXPECT_EQ(status(1, "Action"), "delivered");
  EXPECT_EQ(status(1, "Status"), "2.0.0");
  EXPECT_EQ(status(2, "Action"), "delayed");
  EXPECT_EQ(status(2, "Status"), "4.4.1");
  EXPECT_THAT(status(2, "Will-Retry-Until"), HasSubstr("2026"));
  EXPECT_EQ(status(3, "Action"), "relayed");
  EXPECT_EQ(message_->subject(), "Your mail is delayed");
  EXPECT_LT(human().find("carl@"), human().find("dora@"));
  EXPECT_LT(human().find("dora@"), human().find("ben@"));
}

TEST_F(DsnTest, PeopleReadWhatHappenedToWhomAndWhatToDo) {
  recipients_[0].status = {5, 2, 2};
  recipients_[0].diagnostic = "552 5.2.2 Over quota";
  make();
  EXPECT_THAT(human(), AllOf(HasSubstr("gate.example"), HasSubstr("Gr\u00fc\u00dfe"), HasSubstr("ben@in.example"),
                             HasSubstr("The mailbox is full."), HasSubstr("try again in a few days"),
                             HasSubstr("552 5.2.2 Over quota"), HasSubstr("header of your mail is attached")));
  options_.language = Language::german;
  make();
  EXPECT_EQ(message_->subject(), "Ihre E-Mail konnte nicht zugestellt werden");
  EXPECT_THAT(human(),
              AllOf(HasSubstr("Das Postfach ist voll."), HasSubstr("Empf\u00e4ngern"), Not(HasSubstr("mailbox"))));
  options_.language = Language::dutch;
  make();
  EXPECT_THAT(human(), HasSubstr("Het postvak is vol."));
  EXPECT_EQ(part(0).charset, "utf-8");
  EXPECT_EQ(part(0).encoding, mime::Encoding::quoted_printable);
}

TEST_F(DsnTest, EveryWordingIsComplete) {
  for (const Language language : {Language::english, Language::german, Language::dutch}) {
    options_.language = language;
    for (const auto& [subject, detail] :
         {std::pair{1, 1}, {1, 2}, {2, 1}, {2, 2}, {3, 4}, {4, 6}, {4, 7}, {6, 7}, {7, 1}, {0, 0}}) {
      for (const DsnAction action :
           {DsnAction::failed, DsnAction::delayed, DsnAction::relayed, DsnAction::delivered, DsnAction::expanded}) {
        recipients_[0].status = {5, static_cast<uint16_t>(subject), static_cast<uint16_t>(detail)};
        recipients_[0].action = action;
        recipients_[0].retry_until = options_.now;
        make();
        EXPECT_TRUE(mail::is_ascii(dsn_.content));
        EXPECT_GT(message_->subject().size(), 10U);
        EXPECT_THAT(human(), Not(HasSubstr("{")));
        for (std::string_view rest = dsn_.content; !rest.empty();) {
          const size_t line = rest.find("\r\n");
          ASSERT_LE(line, 78U) << rest.substr(0, line);
          rest.remove_prefix(line + 2);
        }
      }
    }
  }
}

TEST_F(DsnTest, TheMailComesBackWholeOnlyWhereAsked) {
  make();
  EXPECT_EQ(returned(), kMail.substr(0, kMail.find("\r\n\r\n") + 2));
  subject_.ret = mail::DsnReturn::full;
  make();
  EXPECT_EQ(type(2), "message/rfc822");
  EXPECT_EQ(returned(), kMail);
  EXPECT_THAT(human(), HasSubstr("Your mail is attached"));
  recipients_[0].action = DsnAction::delayed;
  make();
  EXPECT_EQ(type(2), "text/rfc822-headers") << "RFC 3461 section 4.3: only with a failure";
  recipients_[0].action = DsnAction::failed;
  options_.most_returned = kMail.size() - 1;
  make();
  EXPECT_EQ(type(2), "text/rfc822-headers");
  options_.most_returned = 50;
  make();
  EXPECT_EQ(returned(), "Received: from x\r\nFrom: <anna@out.example>\r\n");
}

TEST_F(DsnTest, EightBitContentIsSaid) {
  const std::string mail =
      "Subject: x\r\n\r\nGr\xFC\xDF"
      "e";  // no line end at its end
  subject_.content = mail;
  make();
  EXPECT_EQ(dsn_.body, mail::Body::seven_bit) << "the header section is ASCII";
  subject_.ret = mail::DsnReturn::full;
  make();
  EXPECT_EQ(dsn_.body, mail::Body::eight_bit_mime);
  EXPECT_EQ(part(2).headers.unfolded("Content-Transfer-Encoding"), "8bit");
  EXPECT_EQ(returned(), mail);
  EXPECT_EQ(message_->headers().unfolded("Content-Transfer-Encoding"), "8bit");
}

TEST_F(DsnTest, ForeignBoundariesDoNotSplitIt) {
  std::string mail = "Content-Type: multipart/mixed; boundary=\"=_\"\r\n\r\n";
  for (int i = 0; i < 50; ++i) mail += "--=_\r\n\r\n--=_01\r\n--\r\n";
  subject_.content = mail;
  subject_.ret = mail::DsnReturn::full;
  make();
  EXPECT_EQ(returned(), mail);
}

TEST_F(DsnTest, InternationalMailGetsTheGlobalForms) {
  const std::string mail = "From: j\u00f6rg@b\u00fccher.example\r\nSubject: \u00fc\r\n\r\nx\r\n";
  subject_.content = mail;
  subject_.smtputf8 = true;
  subject_.sender = mailbox("j\u00f6rg@b\u00fccher.example");
  recipients_[0].address = mailbox("\u7528\u6237@in.example");
  recipients_[0].orcpt = "utf-8;\\x{7528}\\x{6237}+@in.example";
  make();
  EXPECT_TRUE(dsn_.smtputf8);
  EXPECT_EQ(dsn_.body, mail::Body::eight_bit_mime);
  EXPECT_EQ(type(1), "message/global-delivery-status");
  EXPECT_EQ(type(2), "message/global-headers");
  EXPECT_EQ(mime::read_content_field(message_->headers().unfolded("Content-Type")).find("report-type")->value,
            "global-delivery-status");
  EXPECT_EQ(status(1, "Final-Recipient"), "utf-8; \u7528\u6237@in.example");
  EXPECT_EQ(status(1, "Original-Recipient"), "utf-8; \u7528\u6237+@in.example");
  subject_.ret = mail::DsnReturn::full;
  make();
  EXPECT_EQ(type(2), "message/global");
}

TEST_F(DsnTest, WithoutSmtputf8AddressesAreEscaped) {
  recipients_[0].orcpt = "utf-8;\\x{E9}a@in.example";
  make();
  EXPECT_EQ(type(1), "message/delivery-status");
  EXPECT_EQ(status(1, "Original-Recipient"), "utf-8; \\x{E9}a@in.example");
  EXPECT_FALSE(dsn_.smtputf8);
}

TEST_F(DsnTest, LongAndHostileValuesStayWithinALine) {
  recipients_[0].diagnostic = std::string(5000, 'x');
  recipients_[0].remote_mta = std::string(5000, 'y') + "\r\nInjected: yes";
  recipients_[0].orcpt = "rfc822;" + std::string(490, 'z');
  subject_.envid = "a+0D+0AInjected:+20yes";
  subject_.received_from = "h\r\nInjected: yes";
  make();
  EXPECT_THAT(dsn_.content, Not(HasSubstr("\nInjected")));
  for (std::string_view rest = dsn_.content; !rest.empty();) {
    const size_t line = rest.find("\r\n");
    ASSERT_LE(line, 998U);
    rest.remove_prefix(line + 2);
  }
}

TEST_F(DsnTest, AnotherParserReadsItAlike) {
  add("carl@in.example").status = {5, 2, 2};
  subject_.ret = mail::DsnReturn::full;
  options_.language = Language::german;
  make();
  char name[] = "/tmp/doorward-dsn-XXXXXX";
  const int file = ::mkstemp(name);
  ASSERT_EQ(::write(file, dsn_.content.data(), dsn_.content.size()), static_cast<ssize_t>(dsn_.content.size()));
  ::close(file);
  const std::string script = fmt::format(R"(python3 - {} <<'END'
import email, email.policy, sys
m = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.SMTP)
assert m.get_content_type() == 'multipart/report' and m.get_param('report-type') == 'delivery-status'
human, status, returned = m.iter_parts()
assert 'Empf\u00e4nger' in human.get_content(), human.get_content()
groups = status.get_payload()
assert [g['Final-Recipient'] for g in groups] == [None, 'rfc822; ben@in.example', 'rfc822; carl@in.example']
assert groups[0]['Reporting-MTA'] == 'dns; gate.example' and groups[2]['Status'] == '5.2.2'
assert returned.get_content()['Message-ID'] == '<one@out.example>'
assert not m.defects and not any(p.defects for p in m.walk())
END)",
                                         name);
  EXPECT_EQ(std::system(script.c_str()), 0);
  ::unlink(name);
}

TEST(DsnAddress, OriginalRecipients) {
  EXPECT_EQ(original_address_field("rfc822;a+2Bb@c.example", false), "rfc822; a+b@c.example");
  EXPECT_EQ(original_address_field("x400;+20id", false), "x400;  id");
  for (const char* bad : {"", "rfc822", ";a", "rfc822;a+0D+0Ab", "rfc822;a+00", "rf c;a", "rfc822;a+", "utf-8;\\x{D",
                          "utf-8;\\x{110000}", "utf-8;a+0A"}) {
    EXPECT_EQ(original_address_field(bad, false), "") << bad;
  }
  EXPECT_EQ(original_address_field("utf-8;\u00e9@c.example", true), "utf-8; \u00e9@c.example");
  EXPECT_EQ(original_address_field("utf-8;+C3+A9@c.example", false), "utf-8; \\x{E9}@c.example");
  EXPECT_EQ(original_address_field("UTF-8;\\x{1F600}\\x{5C}@c.example", true), "utf-8; \U0001F600\\@c.example");
  EXPECT_EQ(original_address_field("UTF-8;\\x{1F600}\\x{5C}@c.example", false), "utf-8; \\x{1F600}\\x{5C}@c.example");
}

TEST(DsnAddress, QuotedLocalPartsKeepTheirBlanks) {
  EXPECT_EQ(address_field(mailbox("\"a  b\"@c.example"), false), "rfc822; \"a  b\"@c.example");
  EXPECT_EQ(envelope_id_field("a+20b"), "a b");
  EXPECT_EQ(envelope_id_field("a+0Ab"), "");
}

struct Wanted {
  bool given, never, success, failure, delay;
  std::string expected;  // of failed, delayed, relayed, delivered, expanded
};
class WantsTest : public testing::TestWithParam<Wanted> {};

TEST_P(WantsTest, AsNotifySays) {
  const Wanted& p = GetParam();
  const mail::Notify notify{p.given, p.never, p.success, p.failure, p.delay};
  const mail::ReversePath sender{mailbox("a@b.example"), false};
  std::string told, to_null;
  for (const DsnAction event :
       {DsnAction::failed, DsnAction::delayed, DsnAction::relayed, DsnAction::delivered, DsnAction::expanded}) {
    told += wants(sender, notify, event) ? 'y' : 'n';
    to_null += wants({}, notify, event) ? 'y' : 'n';
  }
  EXPECT_EQ(told, p.expected);
  EXPECT_EQ(to_null, "nnnnn");
}
INSTANTIATE_TEST_SUITE_P(Notify, WantsTest,
                         testing::Values(Wanted{false, false, false, false, false, "yynnn"},
                                         Wanted{true, true, false, false, false, "nnnnn"},
                                         Wanted{true, false, true, false, false, "nnyyy"},
                                         Wanted{true, false, false, true, false, "ynnnn"},
                                         Wanted{true, false, false, false, true, "nynnn"},
                                         Wanted{true, false, true, true, true, "yyyyy"}));

TEST(Wants, DefaultsAreTheAdministrators) {
  const mail::ReversePath sender{mailbox("a@b.example"), false};
  EXPECT_FALSE(wants(sender, {}, DsnAction::delayed, {.failure = true, .delay = false}));
  EXPECT_FALSE(wants(sender, {}, DsnAction::failed, {.failure = false, .delay = true}));
}

TEST(AutomaticAnswer, IsKnownByItsHeader) {
  EXPECT_TRUE(is_automatic_answer("Auto-Submitted: (vacation) auto-replied\r\n\r\n"));
  EXPECT_TRUE(
      is_automatic_answer("A: b\r\nContent-Type: Multipart/Report;\r\n report-type=disposition-notification\r\n\r\n"));
  EXPECT_FALSE(
      is_automatic_answer("Auto-Submitted: no\r\nContent-Type: text/plain\r\n\r\nAuto-Submitted: auto-replied\r\n"));
  EXPECT_FALSE(is_automatic_answer("Auto-Submitted: auto-generated\r\n\r\n")) << "a newsletter wants to know";
}

TEST(LanguageOf, TakesThePrimaryTag) {
  EXPECT_EQ(language_of("de-AT"), Language::german);
  EXPECT_EQ(language_of("NL_be"), Language::dutch);
  EXPECT_EQ(language_of("fr"), Language::english);
  EXPECT_EQ(language_of(""), Language::english);
}

}  // namespace
}  // namespace doorward::delivery
