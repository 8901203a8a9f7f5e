#include "filter/structure.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "filter/case.h"
#include "filter/date_field.h"
#include "filter/shown_address.h"
#include "filter/structure_signs.h"

namespace doorward::filter {
namespace {

constexpr std::string_view kDate = "Date: Mon, 14 Sep 2026 10:00:00 +0200\n";

// A mail without faults, with fields put in or in place of its own.
struct Parts {
  std::string date{kDate};
  std::string id = "Message-ID: <5f0.1@mail.example.org>\n";
  std::string from = "From: Anna <anna@example.org>\n";
  std::string to = "To: b@example.com\n";
  std::string subject = "Subject: The plan for Monday\n";
  std::string more{};
  std::string body = "\nHello,\nhere is the plan.\n";
  std::string text() const { return more + date + id + from + to + subject + body; }
};

std::set<std::string> signs_of(const TestMail& mail) {
  std::set<std::string> found;
  for (const auto& finding : mail.judged_by(structure())) {
    EXPECT_TRUE(found.insert(std::string(finding.symbol)).second) << finding.symbol << " twice";
  }
  EXPECT_TRUE(mail.unknown.empty());
  return found;
}
std::set<std::string> signs_of(const Parts& parts) { return signs_of(TestMail(parts.text())); }
using Set = std::set<std::string>;

std::string html(std::string_view body) {
  return "MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: "
         "text/plain\n\nHello\n--b\n"
         "Content-Type: text/html\n\n<html><body>" +
         std::string(body) + "</body></html>\n--b--\n";
}
std::string attachment(std::string_view name) {
  return "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nHello\n--b\n"
         "Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"" +
         std::string(name) + "\"\n\nx\n--b--\n";
}

TEST(Structure, finds_nothing_in_a_proper_mail) { EXPECT_EQ(signs_of(Parts{}), Set{}); }

struct Field {
  std::string name;
  Parts parts;
  Set expected;
};

TEST(Structure, header_fields) {
  const std::vector<Field> fields{
      {"no Date", {.date = ""}, {"date_missing"}},
      {"Date without sense", {.date = "Date: yesterday\n"}, {"date_unreadable"}},
      {"zone", {.date = "Date: Mon, 14 Sep 2026 10:00:00 -1700\n"}, {"date_zone_impossible"}},
      {"no Message-ID", {.id = ""}, {"message_id_missing"}},
      {"Message-ID without @", {.id = "Message-ID: <123>\n"}, {"message_id_malformed"}},
      {"Message-ID without brackets", {.id = "Message-ID: 123@example.org\n"}, {"message_id_malformed"}},
      {"Message-ID of an IP", {.id = "Message-ID: <1@[192.0.2.1]>\n"}, {"message_id_odd_domain"}},
      {"Message-ID of localhost", {.id = "Message-ID: <1@localhost>\n"}, {"message_id_odd_domain"}},
      {"no From", {.from = ""}, {"from_missing"}},
      {"From without address", {.from = "From: Anna\n"}, {"from_unreadable"}},
      {"another address as name",
       {.from = "From: \"service@bank.example\" <x@evil.example>\n"},
       {"from_shows_other_address"}},
      {"its own domain as name", {.from = "From: \"shop@example.org\" <news@mail.example.org>\n"}, {}},
      {"mixed scripts", {.from = "From: =?UTF-8?B?UNCweVBhbA==?= <x@example.org>\n"}, {"from_name_mixed_scripts"}},
      {"no To", {.to = ""}, {"to_missing"}},
      {"Cc is enough", {.to = "Cc: b@example.com\n"}, {}},
      {"Reply-To", {.more = "Reply-To: director77@gmail.com\n"}, {"reply_to_freemail"}},
      {"Reply-To at home", {.more = "Reply-To: Info <info@example.org>\n"}, {}},
      {"no Subject", {.subject = ""}, {"subject_missing"}},
      {"empty Subject", {.subject = "Subject: \n"}, {"subject_empty"}},
      {"capitals", {.subject = "Subject: BUY THIS STUFF NOW\n"}, {"subject_capitals"}},
      {"short capitals", {.subject = "Subject: FYI: ISO\n"}, {}},
      {"encoded without need", {.subject = "Subject: =?UTF-8?B?SGVsbG8gQm9i?=\n"}, {"subject_needlessly_encoded"}},
      {"encoded with need", {.subject = "Subject: =?UTF-8?Q?Sch=C3=B6n?=\n"}, {}},
      {"mixed Subject", {.subject = "Subject: =?UTF-8?B?WW91ciBQ0LB5cGFs?=\n"}, {"subject_mixed_scripts"}},
      {"two Dates", {.more = std::string(kDate)}, {"header_duplicate"}},
      {"Outlook Express", {.more = "X-Mailer: Microsoft Outlook Express 6.00.2600.0000\n"}, {"outlook_express_forged"}},
      {"honest Outlook Express",
       {.id = "Message-ID: <000801c1a2b3$0a1b2c3d$0100a8c0@pc>\n",
        .more = "X-Mailer: Microsoft Outlook Express 6.00\n"},
       {}},
  };
  for (const auto& field : fields) EXPECT_EQ(signs_of(field.parts), field.expected) << field.name;
}

TEST(Structure, a_message_id_of_the_recipients_domain) {
  TestMail mail(Parts{.id = "Message-ID: <1@example.com>\n"}.text());
  EXPECT_EQ(signs_of(mail), Set{});
  mail.envelope.recipients.push_back({.mailbox = *mail::parse_mailbox("b@example.com")});
  EXPECT_EQ(signs_of(mail), Set{"message_id_of_recipient"});
  mail.direction = sheet::Direction::outbound;
  EXPECT_EQ(signs_of(mail), Set{});
}

TEST(Structure, dates_against_the_session) {
  TestMail mail{Parts{}.text()};
  mail.client.ip = *mail::IpAddress::parse("192.0.2.1");
  const auto sent = parse_date("Mon, 14 Sep 2026 10:00:00 +0200")->time;
  mail.now = sent + std::chrono::minutes(5);
  EXPECT_EQ(signs_of(mail), Set{});
  mail.now = sent + std::chrono::days(5);
  EXPECT_EQ(signs_of(mail), Set{"date_past"});
  mail.now = sent - std::chrono::hours(25);
  EXPECT_EQ(signs_of(mail), Set{"date_future"});
}

TEST(Structure, dates_along_the_way) {
  const std::string by = "Received: from a by b.example; ";
  EXPECT_EQ(signs_of({.more = by + "Mon, 14 Sep 2026 10:01:00 +0200\n" + by + "Mon, 14 Sep 2026 10:00:30 +0200\n"}),
            Set{});
  EXPECT_EQ(signs_of({.more = by + "Mon, 14 Sep 2026 10:01:00 +0200\n" + by + "Mon, 14 Sep 2026 20:00:00 +0200\n"}),
            Set{"received_backwards"});
  EXPECT_EQ(signs_of({.more = by + "Mon, 14 Sep 2026 01:00:00 +0200\n"}), Set{"date_after_received"});
  EXPECT_EQ(signs_of({.more = "Received: nonsense\n"}), Set{"received_unreadable"});
}

TEST(Structure, html) {
  EXPECT_EQ(signs_of({.body = html("<p>Hello</p>")}), Set{});
  EXPECT_EQ(signs_of({.body = "Content-Type: text/html\n\n<p>Hello, here is the plan for Monday.</p>\n"}),
            Set{"html_only"});
  EXPECT_TRUE(signs_of({.body = html("<form action='https://a.example/'><input type=password></form>")})
                  .contains("html_password"));
  EXPECT_TRUE(signs_of({.body = html("<form action='https://a.example/'><input></form>")}).contains("html_form"));
  EXPECT_TRUE(signs_of({.body = html("<script>x()</script>")}).contains("html_script"));
  EXPECT_TRUE(signs_of({.body = html("<img src='https://a.example/x.png'>")}).contains("html_image_only"));
  EXPECT_TRUE(signs_of({.body = html("Hi<div style='display:none'>" + std::string(200, 'a') + "</div>")})
                  .contains("html_hidden_text"));
}

Set links_in(std::string_view body) {
  Set links;
  for (const auto& sign :
       signs_of({.body = html("A text with a link that is long enough to be one: " + std::string(body))})) {
    if (sign.starts_with("link_")) links.insert(sign);
  }
  return links;
}

TEST(Structure, links) {
  EXPECT_EQ(links_in("<a href='https://www.example.org/x'>example.org</a>"), Set{});
  EXPECT_EQ(links_in("<a href='http://192.0.2.7/x'>here</a>"), Set{"link_ip"});
  EXPECT_EQ(links_in("<a href='http://0xC0.0.2.7/x'>here</a>"), Set{"link_ip"});
  EXPECT_EQ(links_in("<a href='http://3221225985/'>here</a>"), Set{"link_ip"});
  EXPECT_EQ(links_in("<a href='https://a.example:8081/x'>here</a>"), Set{"link_port"});
  EXPECT_EQ(links_in("<a href='https://bank.example@evil.example/'>here</a>"), Set{"link_user_info"});
  EXPECT_EQ(links_in("<a href='https://xn--pypal-4ve.example/'>here</a>"), Set{"link_punycode"});
  EXPECT_EQ(links_in("<a href='https://evil.example/'>https://www.bank.com/login</a>"), Set{"link_shows_other_domain"});
  EXPECT_EQ(links_in("<a href='https://evil.example/'>bank.com</a>"), Set{"link_shows_other_domain"});
  EXPECT_EQ(links_in("<a href='https://click.bank.com/?q'>www.bank.com</a>"), Set{});
  EXPECT_EQ(links_in("<a href='https://evil.example/'>Node.js and report.pdf</a>"), Set{});
  EXPECT_EQ(links_in("<a href='javascript:x()'>here</a>"), Set{"link_odd_scheme"});
}

TEST(Structure, attachments) {
  EXPECT_EQ(signs_of({.body = attachment("plan.pdf")}), Set{});
  EXPECT_EQ(signs_of({.body = attachment("plan.EXE")}), Set{"attachment_executable"});
  EXPECT_EQ(signs_of({.body = attachment("plan.exe. ")}), Set{"attachment_executable"});
  EXPECT_EQ(signs_of({.body = attachment("plan.pdf.js")}), Set{"attachment_double_extension"});
  EXPECT_EQ(signs_of({.body = attachment("plan.pdf                    .scr")}),
            (Set{"attachment_double_extension", "attachment_name_disguised"}));
  EXPECT_EQ(signs_of({.body = attachment("invoice.html")}), Set{"attachment_html"});
}

TEST(Structure, texts) {
  const std::string base64 = "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n";
  EXPECT_EQ(signs_of({.body = base64 + "SGVsbG8sIHRoaXMgaXMgcGxhaW4gQVNDSUkgdGV4dCB0aGF0IG5lZWRzIG5vIGJhc2U2NC4=\n"}),
            Set{"text_needlessly_base64"});
  const std::string utf8 = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n";
  EXPECT_EQ(signs_of({.body = utf8 + "ver\u200Bify yo\u200Bur acc\u200Bount\n"}), Set{"text_invisible_in_words"});
  EXPECT_EQ(signs_of({.body = utf8 + "Раypal раssword ассоunt\n"}), Set{"text_mixed_scripts"});
  EXPECT_EQ(signs_of({.body = utf8 + "Привет, это наш новый план для USB-порта\n"}), Set{});
}

TEST(Structure, oddities_of_the_parser_are_named) {
  EXPECT_TRUE(signs_of({.body = "Content-Type: multipart/mixed\n\nx\n"}).contains("mime_missing_boundary"));
}

// Each name that the parser gives has a symbol here.
TEST(Structure, every_oddity_has_its_symbol) {
  Set symbols;
  for (const auto& info : oddity_symbols()) symbols.insert(std::string(info.symbol));
  const std::regex call(R"rx(add\("([a-z0-9_]+)")rx");
  size_t names = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TEST_DATA "/../../src/mime")) {
    if (entry.path().extension() != ".cpp") continue;
    std::ifstream in(entry.path());
    const std::string source{std::istreambuf_iterator<char>(in), {}};
    for (std::sregex_iterator it(source.begin(), source.end(), call), end; it != end; ++it, ++names) {
      EXPECT_TRUE(symbols.contains("mime_" + (*it)[1].str())) << (*it)[1];
    }
  }
  EXPECT_GT(names, 20U);
}

TEST(DateField, reads_what_mail_programs_write) {
  const auto at = [](std::string_view text) {
    const auto date = parse_date(text);
    return date ? date->time.time_since_epoch().count() : -1;
  };
  EXPECT_EQ(at("Mon, 14 Sep 2026 10:00:00 +0200"), 1789372800);
  EXPECT_EQ(at("14 Sep 2026 08:00 GMT"), 1789372800);
  EXPECT_EQ(at("Mon, 14 Sep 2026 10:00:00 +0200 (CEST)"), 1789372800);
  EXPECT_EQ(at("Mon,14 Sep 26 03:00:00 EST"), 1789372800);
  EXPECT_EQ(at("31 Feb 2026 10:00:00 +0000"), -1);
  EXPECT_EQ(at("14 Sep 2026 25:00:00 +0000"), -1);
  EXPECT_EQ(at(""), -1);
  EXPECT_FALSE(parse_date("14 Sep 2026 10:00:00 +9999")->zone_possible);
}

TEST(ShownAddress, reads_name_and_address) {
  EXPECT_EQ(first_address("Anna B <A.B@Example.Org>").address, "a.b@example.org");
  EXPECT_EQ(first_address("\"x <y@z.example>\" <a@b.example>").address, "a@b.example");
  EXPECT_EQ(first_address("a@b.example (Anna)").name, "Anna");
  EXPECT_EQ(first_address("undisclosed").address, "");
  EXPECT_EQ(owner_domain("a.b.example.co.uk"), "example.co.uk");
  EXPECT_EQ(owner_domain("mail.example.org"), "example.org");
  EXPECT_EQ(owner_domain("localhost"), "localhost");
}

}  // namespace
}  // namespace doorward::filter
