#include <gtest/gtest.h>

#include <map>

#include "mail_text.h"
#include "mime/message.h"

namespace doorward::mime {
namespace {

using testing::lines;
using testing::odd;
using testing::repeated;
using testing::shown;

// "text/plain text/html+": the types in order, "+" for a further reading.
std::string types(const Message& message) {
  std::string all;
  for (const Part& part : message.parts())
    all.append(all.empty() ? "" : " ")
        .append(part.type)
        .append("/")
        .append(part.subtype)
        .append(part.alternative_reading ? "+" : "");
  return all;
}

TEST(Parts, Tree) {
  const std::string raw = lines({"Content-Type: multipart/mixed; boundary=outer",
                                 "",
                                 "preamble",
                                 "--outer",
                                 "Content-Type: multipart/alternative; boundary=\"in ner\"",
                                 "",
                                 "--in ner",
                                 "",
                                 "plain",
                                 "--in ner",
                                 "Content-Type: text/html",
                                 "",
                                 "<b>html</b>",
                                 "--in ner--",
                                 "--outer  ",
                                 "Content-Type: image/png; name=a.png",
                                 "Content-Transfer-Encoding: base64",
                                 "",
                                 "aGVsbG8=",
                                 "--outer--",
                                 "epilogue"});
  const Message message = Message::parse(raw);
  EXPECT_EQ(types(message), "multipart/mixed multipart/alternative text/plain text/html image/png");
  EXPECT_EQ(message.parts()[2].parent, 1U);
  EXPECT_EQ(message.parts()[2].depth, 2U);
  EXPECT_EQ(message.parts()[2].body, "plain");
  EXPECT_EQ(message.parts()[4].file_name, "a.png");
  EXPECT_EQ(message.decoded(message.parts()[4]), "hello");
  EXPECT_EQ(message.decoded(message.parts()[4], 2), "he");
  EXPECT_TRUE(message.parts()[4].is_attachment());
  EXPECT_EQ(shown(message), "plain\nhtml");
  EXPECT_TRUE(message.oddities().empty()) << message.oddities()[0].name;
}

TEST(Parts, BareLineFeeds) {
  const std::string raw = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--\n";
  EXPECT_EQ(shown(Message::parse(raw)), "one\ntwo");
}

TEST(Parts, MissingClose) {
  const std::string raw = lines({"Content-Type: multipart/mixed; boundary=b", "", "--b", "", "one"});
  const Message message = Message::parse(raw);
  EXPECT_EQ(shown(message), "one");
  EXPECT_TRUE(odd(message, "unterminated_boundary"));
}

TEST(Parts, MissingStartIsGuessed) {
  const std::string raw = lines({"Content-Type: multipart/mixed; boundary=nowhere", "", "--b",
                                 "Content-Type: text/html", "", "<i>one</i>", "--b--"});
  const Message message = Message::parse(raw);
  EXPECT_TRUE(odd(message, "boundary_not_found"));
  EXPECT_EQ(message.texts()[0].visible, "one");
  EXPECT_TRUE(message.texts()[0].from_html);
}

TEST(Parts, NoBoundaryAtAllShowsTheBody) {
  const std::string raw = lines({"Content-Type: multipart/mixed", "", "just text"});
  const Message message = Message::parse(raw);
  EXPECT_TRUE(odd(message, "missing_boundary"));
  EXPECT_EQ(shown(message), "just text");
}

TEST(Parts, EmptyBoundary) {
  const std::string raw =
      lines({"Content-Type: multipart/mixed; boundary=\"\"", "", "--", "", "one", "--", "", "two", "----"});
  const Message message = Message::parse(raw);
  EXPECT_TRUE(odd(message, "empty_boundary"));
  EXPECT_EQ(shown(message), "one\ntwo");
}

TEST(Parts, TwoBoundariesAreBothRead) {
  const std::string raw =
      lines({"Content-Type: multipart/mixed; boundary=a; boundary=b", "", "--a", "Content-Type: text/plain", "",
             "for some", "--a--", "--b", "Content-Type: text/html", "", "<p>for others", "--b--"});
  const Message message = Message::parse(raw);
  EXPECT_TRUE(odd(message, "duplicate_boundary"));
  EXPECT_EQ(message.parts()[1].body, "for some");
  EXPECT_FALSE(message.parts()[1].alternative_reading);
  EXPECT_EQ(message.parts().back().body, "<p>for others");
  EXPECT_TRUE(message.parts().back().alternative_reading);
  EXPECT_EQ(message.texts().back().visible, "for others");
}

TEST(Parts, TwoContentTypesAreBothRead) {
  const std::string raw = lines({"Content-Type: text/plain", "Content-Type: text/html", "", "<b>x</b>"});
  const Message message = Message::parse(raw);
  EXPECT_TRUE(odd(message, "duplicate_content_type"));
  EXPECT_EQ(types(message), "text/plain text/html+");
  EXPECT_EQ(shown(message), "<b>x</b>\nx");
}

TEST(Parts, TwoTransferEncodingsAreBothRead) {
  const std::string raw =
      lines({"Content-Transfer-Encoding: 7bit", "Content-Transfer-Encoding: base64", "", "aGVsbG8="});
  const Message message = Message::parse(raw);
  EXPECT_EQ(shown(message), "aGVsbG8=\nhello");
}

TEST(Parts, TransferEncodingWithCommentsOrMoreIsReadBothWays) {
  for (const char* value : {"(x) base64 (y)", "(x)base64", "base64 foo", "base64,7bit", "\"base64\""}) {
    const std::string raw = lines({"Content-Transfer-Encoding: " + std::string(value), "", "aGVsbG8="});
    const Message message = Message::parse(raw);
    ASSERT_EQ(message.parts().size(), 2U) << value;
    EXPECT_TRUE(message.parts()[1].alternative_reading);
    EXPECT_NE(shown(message).find("hello"), std::string::npos) << value;
    EXPECT_NE(shown(message).find("aGVsbG8="), std::string::npos) << value;
  }
  const std::string raw = lines({"Content-Transfer-Encoding: 8bit", "", "x"});
  EXPECT_EQ(Message::parse(raw).parts().size(), 1U);
}

TEST(Parts, ContentTypeWithCommentsInFront) {
  for (const char* value : {"(x) text/html", "(x)text/html", "(a (b)) text (c) / (d) html (e); charset=utf-8"}) {
    const std::string raw = lines({"Content-Type: " + std::string(value), "", "<b>x</b>"});
    EXPECT_EQ(types(Message::parse(raw)), "text/html") << value;
  }
  const std::string raw = lines({"Content-Type: (x) multipart/mixed; (y) boundary=b (z)", "", "--b",
                                 "Content-Type: (x) text/html", "", "<b>x</b>", "--b--"});
  EXPECT_EQ(types(Message::parse(raw)), "multipart/mixed text/html");
}

TEST(Parts, BoundaryThatBeginsAnother) {
  const std::string raw =
      lines({"Content-Type: multipart/mixed; boundary=a", "", "--a", "", "one", "--ab", "", "two", "--a--"});
  const Message message = Message::parse(raw);
  EXPECT_TRUE(odd(message, "boundary_prefix"));
  EXPECT_EQ(message.texts()[0].visible, "one\n--ab\n\ntwo");
  EXPECT_EQ(message.texts().back().visible, "two");
  // That of a multipart inside is no ambiguity.
  const std::string nested =
      lines({"Content-Type: multipart/mixed; boundary=a", "", "--a", "Content-Type: multipart/mixed; boundary=ab", "",
             "--ab", "", "two", "--ab--", "--a--"});
  EXPECT_FALSE(odd(Message::parse(nested), "boundary_prefix"));
  EXPECT_EQ(types(Message::parse(nested)), "multipart/mixed multipart/mixed text/plain");
}

TEST(Parts, ContentOutsideTheDelimiters) {
  const std::string raw = lines({"Content-Type: multipart/mixed; boundary=a", "", "see http://before.example/", "--a",
                                 "", "one", "--a--", "see http://behind.example/", "--a", "", "late", "--a--"});
  const Message message = Message::parse(raw);
  EXPECT_TRUE(odd(message, "preamble_content"));
  EXPECT_TRUE(odd(message, "content_after_close"));
  EXPECT_NE(shown(message).find("late"), std::string::npos);
  EXPECT_EQ(message.links()[0].url, "http://before.example/");
}

TEST(Parts, NestedSameBoundary) {
  const std::string raw =
      lines({"Content-Type: multipart/mixed; boundary=a", "", "--a", "Content-Type: multipart/alternative; boundary=a",
             "", "--a", "", "one", "--a--", "--a--"});
  EXPECT_NE(shown(Message::parse(raw)).find("one"), std::string::npos);
}

TEST(Parts, UnquotedBoundaryWithComment) {
  const std::string raw =
      lines({"Content-Type: multipart/mixed; boundary=abc (comment)", "", "--abc", "", "one", "--abc--"});
  EXPECT_EQ(shown(Message::parse(raw)), "one");
}

TEST(Parts, LongBoundary) {
  const std::string boundary(5000, 'b');
  const std::string raw = lines(
      {"Content-Type: multipart/mixed; boundary=" + boundary, "", "--" + boundary, "", "one", "--" + boundary + "--"});
  const Message message = Message::parse(raw);
  EXPECT_EQ(shown(message), "one");
  EXPECT_TRUE(odd(message, "long_boundary"));
}

TEST(Parts, EncodedMultipart) {
  // "--a\r\n\r\nhidden\r\n--a--" in base64
  const std::string raw = lines({"Content-Type: multipart/mixed; boundary=a", "Content-Transfer-Encoding: base64", "",
                                 "LS1hDQoNCmhpZGRlbg0KLS1hLS0="});
  const Message message = Message::parse(raw);
  EXPECT_TRUE(odd(message, "encoded_multipart"));
  EXPECT_EQ(shown(message), "hidden");
  EXPECT_TRUE(message.parts()[1].decoded_copy);
}

TEST(Parts, EncodedMultipartWithOneOfTheSameBoundaryInside) {
  const std::string raw =
      lines({"Content-Type: multipart/mixed; boundary=a", "Content-Transfer-Encoding: quoted-printable", "", "--a",
             "Content-Type: multipart/mixed; boundary=3Da", "", "--a", "", "hidden", "--a--", "", "behind"});
  const Message message = Message::parse(raw);
  EXPECT_TRUE(odd(message, "encoded_multipart"));
  EXPECT_TRUE(odd(message, "nested_same_boundary"));
  EXPECT_NE(shown(message).find("hidden"), std::string::npos);
}

TEST(Parts, NestedMessage) {
  const std::string raw =
      lines({"Subject: outer", "Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: message/rfc822",
             "", "Subject: inner", "Content-Type: text/html", "", "<p>nested", "--b--"});
  const Message message = Message::parse(raw);
  EXPECT_EQ(types(message), "multipart/mixed message/rfc822 text/html");
  EXPECT_EQ(message.parts()[2].headers.text("subject"), "inner");
  EXPECT_EQ(shown(message), "nested");
  const Header& subject = message.parts()[2].headers.fields()[0];
  EXPECT_EQ(raw.substr(subject.offset, subject.length), "Subject: inner\r\n");
}

TEST(Parts, EncodedNestedMessage) {
  const std::string raw = lines(
      {"Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", "U3ViamVjdDogaW5uZXINCg0KbmVzdGVk"});
  const Message message = Message::parse(raw);
  EXPECT_TRUE(odd(message, "encoded_message"));
  EXPECT_EQ(message.parts().back().headers.text("subject"), "inner");
  EXPECT_EQ(shown(message), "nested");
  EXPECT_EQ(message.parts().back().headers.fields()[0].offset, 0U);
}

TEST(Parts, DigestDefaultsToMessages) {
  const std::string raw =
      lines({"Content-Type: multipart/digest; boundary=b", "", "--b", "", "Subject: one", "", "text", "--b--"});
  EXPECT_EQ(types(Message::parse(raw)), "multipart/digest message/rfc822 text/plain");
}

TEST(Parts, PartialAndExternal) {
  const std::string partial =
      lines({"Content-Type: message/partial; number=1; total=2; id=x", "", "Subject: inner", "", "text"});
  EXPECT_TRUE(odd(Message::parse(partial), "message_partial"));
  EXPECT_EQ(shown(Message::parse(partial)), "text");
  EXPECT_TRUE(odd(Message::parse(lines(
                      {"Content-Type: message/external-body; access-type=URL", "", "Content-Type: text/html", ""})),
                  "external_body"));
}

TEST(Parts, MalformedTypes) {
  const auto type_of = [](std::string_view value) {
    const std::string raw = "Content-Type: " + std::string(value) + "\r\n\r\nx";
    const Message message = Message::parse(raw);
    return message.parts()[0].type + "/" + message.parts()[0].subtype;
  };
  EXPECT_EQ(type_of("text"), "text/plain");
  EXPECT_EQ(type_of("text/"), "text/plain");
  EXPECT_EQ(type_of("garbage here"), "text/plain");
  EXPECT_EQ(type_of("html"), "text/html");
  EXPECT_EQ(type_of("TEXT / HTML"), "text/html");
  EXPECT_EQ(type_of("image"), "application/octet-stream");
  EXPECT_EQ(type_of(""), "text/plain");
}

TEST(Parts, FileNames) {
  const auto names = [](std::string_view fields) {
    const std::string raw = std::string(fields) + "\r\n\r\nx";
    const Message message = Message::parse(raw);
    return std::pair(message.parts()[0].file_name, message.parts()[0].other_name);
  };
  using Names = std::pair<std::string, std::string>;
  EXPECT_EQ(names("Content-Disposition: attachment; filename=\"=?utf-8?q?=C3=A4.txt?=\""), Names("ä.txt", ""));
  EXPECT_EQ(names("Content-Disposition: attachment; filename*=utf-8''%C3%A4.txt"), Names("ä.txt", ""));
  EXPECT_EQ(names("Content-Disposition: attachment; filename*0=\"a \"; filename*1=\"b.exe\""), Names("a b.exe", ""));
  EXPECT_EQ(names("Content-Type: application/pdf; name=\"a.pdf\"\r\nContent-Disposition: attachment; filename=b.exe"),
            Names("b.exe", "a.pdf"));
  EXPECT_EQ(names("Content-Disposition: attachment; filename=a.txt; filename=b.exe"), Names("a.txt", "b.exe"));
  EXPECT_EQ(names("Content-Type: application/pdf; name=my file.pdf"), Names("my file.pdf", ""));
}

TEST(Parts, UuencodeInText) {
  const std::string raw = lines({"Subject: x", "", "see file", "begin 644 evil.html", "#0V%T", "`", "end", "bye"});
  const Message message = Message::parse(raw);
  ASSERT_EQ(message.parts().size(), 2U);
  EXPECT_EQ(message.parts()[1].file_name, "evil.html");
  EXPECT_EQ(message.decoded(message.parts()[1]), "Cat");
  EXPECT_TRUE(message.parts()[1].is_attachment());
  EXPECT_TRUE(odd(message, "inline_uuencode"));
  EXPECT_EQ(message.texts().back().visible, "Cat");  // an HTML file is opened as a page
}

TEST(Parts, HtmlAttachmentIsRead) {
  const std::string raw =
      lines({"Content-Type: application/octet-stream; name=invoice.HTM", "Content-Disposition: attachment", "",
             "<form action=http://e.example/><input type=password>"});
  const Message message = Message::parse(raw);
  EXPECT_EQ(message.html().password_fields, 1U);
  EXPECT_EQ(message.links()[0].url, "http://e.example/");
}

TEST(Parts, IsAttachment) {
  const auto attached = [](std::string_view fields) {
    const std::string raw = std::string(fields) + "\r\n\r\nx";
    return Message::parse(raw).parts()[0].is_attachment();
  };
  EXPECT_FALSE(attached("Content-Type: text/plain"));
  EXPECT_TRUE(attached("Content-Type: text/plain; name=x.txt"));
  EXPECT_TRUE(attached("Content-Type: text/plain\r\nContent-Disposition: attachment"));
  EXPECT_TRUE(attached("Content-Type: application/zip"));
  EXPECT_FALSE(attached("Content-Type: image/png\r\nContent-ID: <a>"));
  EXPECT_FALSE(attached("Content-Type: multipart/mixed; boundary=b"));
}

TEST(Parts, LimitsHold) {
  Limits limits;
  limits.parts = 20;
  const Message many = Message::parse(std::string_view("Content-Type: multipart/mixed; boundary=b\n\n"), limits);
  EXPECT_LE(many.parts().size(), 20U);
  const std::string wide = "Content-Type: multipart/mixed; boundary=b\n\n" + repeated("--b\n\nx\n", 10'000);
  const Message message = Message::parse(wide, limits);
  EXPECT_EQ(message.parts().size(), 20U);
  EXPECT_TRUE(odd(message, "parts_limit"));
  std::string deep;
  for (int i = 0; i < 100; ++i)
    deep += "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "x\n\n--b" + std::to_string(i) + "x\n";
  const Message nested = Message::parse(deep);
  EXPECT_TRUE(odd(nested, "depth_limit"));
  for (const Part& part : nested.parts()) EXPECT_LE(part.depth, Limits{}.depth + 1);
}

// Trick upon trick must not multiply: every level offers two readings.
TEST(Parts, AmbiguityDoesNotExplode) {
  std::string raw;
  for (int i = 0; i < 200; ++i)
    raw += "Content-Type: multipart/mixed; boundary=a; boundary=b" + std::to_string(i) +
           "\nContent-Type: message/rfc822\nContent-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: "
           "quoted-printable\n\n--a\n--b" +
           std::to_string(i) + "\n";
  const Message message = Message::parse(raw);
  EXPECT_LE(message.parts().size(), Limits{}.parts);
  EXPECT_TRUE(odd(message, "readings_limit") || odd(message, "more_oddities"));
}

TEST(Parts, HostileInputTakesLinearTime) {
  for (const char* piece :
       {"--\n", "--b\n", "--bb\n", "a: b\n", "x y\na: b\n", "Content-Type: message/rfc822\n\n",
        "\nbegin 644 a\n#86)C\n", "Content-Type: multipart/mixed; boundary=b; boundary=c\n\n--b\n--c\n", "; a=b", "(",
        "=?", "http://", "www.a", "\r"}) {
    const std::string body = repeated(piece, 1 << 20);
    Message::parse(body);
    Message::parse("Content-Type: multipart/mixed; boundary=b\n\n" + body).parts();
    Message::parse("Subject: " + body).parts();
    Message::parse("Subject: x\n\n" + body).parts();
    Message::parse("Content-Type: text/plain; " + body).parts();
    Message::parse("Content-Transfer-Encoding: x " + body).parts();
  }
}

TEST(PartTexts, Flowed) {
  const std::string raw = lines({"Content-Type: text/plain; format=flowed; delsp=yes", "", "one ", "two ", "three",
                                 "> quoted ", "> more", " from", "-- ", "sig"});
  EXPECT_EQ(shown(Message::parse(raw)), "onetwothree\n> quotedmore\nfrom\n--\nsig");
  const std::string plain = lines({"Content-Type: text/plain; format=flowed", "", "one ", "two"});
  EXPECT_EQ(shown(Message::parse(plain)), "one two");
}

TEST(PartTexts, CharsetAndEncodingTogether) {
  const std::string raw =
      lines({"Content-Type: text/plain; charset=koi8-r", "Content-Transfer-Encoding: base64", "", "8NLJ18XU"});
  EXPECT_EQ(shown(Message::parse(raw)), "Привет");
}

TEST(PartTexts, TabsAndControls) {
  const std::string raw = std::string("\r\na\tb\x01") + "c\r\n\r\n  d  \r\n";
  EXPECT_EQ(shown(Message::parse(raw)), "a bc\n\n  d");
}

TEST(PartTexts, LinksInPlainText) {
  const std::string raw = lines({"", "go to http://a.example/x, or (www.b.example)."});
  const Message message = Message::parse(raw);
  ASSERT_EQ(message.links().size(), 2U);
  EXPECT_EQ(message.links()[0].url, "http://a.example/x");
  EXPECT_EQ(message.links()[1].url, "http://www.b.example");
  EXPECT_EQ(message.links()[1].shown, "www.b.example");
}

TEST(PartTexts, LimitIsNoted) {
  Limits limits;
  limits.text_bytes = 1000;
  const std::string raw = "\r\n" + repeated("word ", 100'000);
  const Message message = Message::parse(raw, limits);
  EXPECT_TRUE(odd(message, "text_limit"));
  EXPECT_LE(shown(message).size(), 1010U);
}

}  // namespace
}  // namespace doorward::mime
