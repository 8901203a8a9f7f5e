#include "action/subject_tag.h"

#include <gtest/gtest.h>

#include "action/verdicted.h"

namespace doorward::action {
namespace {

std::string tagged(std::string raw, sheet::Class klass = sheet::Class::spam, std::string tag = "*** SPAM ***") {
  TestVerdict mail(std::move(raw));
  mail.verdict.klass = klass;
  mail.verdict.disposition = sheet::Disposition::tag;
  mail.settings.subject_tag_spam = std::move(tag);
  return mail.after(subject_tag());
}

TEST(SubjectTag, stands_before_the_subject) {
  EXPECT_EQ(tagged("From: a@b.example\r\nSubject: Hello\r\n\r\nx\r\n"),
            "From: a@b.example\r\nSubject: *** SPAM *** Hello\r\n\r\nx\r\n");
  EXPECT_EQ(tagged("subject:Hello\r\n\r\nx\r\n"), "subject: *** SPAM *** Hello\r\n\r\nx\r\n");
  EXPECT_EQ(tagged("Subject: =?UTF-8?Q?Sch=C3=B6n?=\r\n\r\nx\r\n"),
            "Subject: *** SPAM *** =?UTF-8?Q?Sch=C3=B6n?=\r\n\r\nx\r\n");
  EXPECT_EQ(tagged("Subject: Hello\r\n\r\nx\r\n", sheet::Class::newsletter), "Subject: [PUB] Hello\r\n\r\nx\r\n");
  EXPECT_EQ(tagged("Subject: Hello\r\n\r\nx\r\n", sheet::Class::content), "Subject: *** CF *** Hello\r\n\r\nx\r\n");
}

TEST(SubjectTag, is_made_where_there_is_no_subject) {
  EXPECT_EQ(tagged("From: a@b.example\r\n\r\nx\r\n"), "Subject: *** SPAM ***\r\nFrom: a@b.example\r\n\r\nx\r\n");
  EXPECT_EQ(mime::Message::parse(tagged("Subject:\r\n\r\nx\r\n")).subject(), "*** SPAM ***");
}

TEST(SubjectTag, every_subject_field_gets_it) {
  EXPECT_EQ(tagged("Subject: A\r\nSubject: B\r\n\r\nx\r\n"),
            "Subject: *** SPAM *** A\r\nSubject: *** SPAM *** B\r\n\r\nx\r\n");
}

TEST(SubjectTag, is_encoded_where_it_is_not_ascii) {
  for (const auto* subject : {"Hello", "=?UTF-8?Q?Sch=C3=B6n?="}) {
    const std::string made =
        tagged("Subject: " + std::string(subject) + "\r\n\r\nx\r\n", sheet::Class::spam, "[UNERWÜNSCHT]");
    for (const char c : made) EXPECT_LT(static_cast<unsigned char>(c), 128);
    const auto shown = mime::Message::parse(made).subject();
    EXPECT_TRUE(shown.starts_with("[UNERWÜNSCHT] ")) << shown;
    EXPECT_NE(shown[std::string_view("[UNERWÜNSCHT] ").size()], '=') << shown;
  }
}

TEST(SubjectTag, a_tag_makes_no_field_of_its_own) {
  EXPECT_EQ(tagged("Subject: Hello\r\n\r\nx\r\n", sheet::Class::spam, "x\r\nBcc: y@z.example"),
            "Subject: xBcc: y@z.example Hello\r\n\r\nx\r\n");
}

TEST(SubjectTag, not_twice_not_on_signed_mail_not_without_need) {
  const auto same = [](std::string raw, sheet::Class klass = sheet::Class::spam, std::string tag = "*** SPAM ***") {
    return tagged(raw, klass, std::move(tag)) == raw;
  };
  EXPECT_TRUE(same("Subject: *** SPAM *** Hello\r\n\r\nx\r\n"));
  EXPECT_TRUE(same("Subject: Re: *** SPAM *** Hello\r\n\r\nx\r\n"));
  EXPECT_TRUE(same("Subject: a\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n"));
  EXPECT_TRUE(same("Subject: a\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nx\r\n"));
  EXPECT_TRUE(same("Subject: a\r\n\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\nx\r\n"));
  EXPECT_TRUE(same("Subject: a\r\n\r\nx\r\n", sheet::Class::clean));
  EXPECT_TRUE(same("Subject: a\r\n\r\nx\r\n", sheet::Class::spam, ""));
  TestVerdict delivered("Subject: a\r\n\r\nx\r\n");
  delivered.verdict.klass = sheet::Class::spam;
  delivered.verdict.disposition = sheet::Disposition::deliver;
  EXPECT_EQ(delivered.after(subject_tag()), delivered.raw);
  delivered.verdict.disposition = sheet::Disposition::tag;
  delivered.verdict.observed = true;
  EXPECT_EQ(delivered.after(subject_tag()), delivered.raw);
}

}  // namespace
}  // namespace doorward::action
