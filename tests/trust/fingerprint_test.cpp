#include "trust/fingerprint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "trust/fingerprint_shingles.h"
#include "trust/varied_mail.h"

namespace doorward::trust {
namespace {

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

TEST(Fingerprint, other_numbers_links_addresses_case_and_layout_are_the_same_text) {
  const std::string text = text_of(1);
  const auto one = fingerprint_of_text("Order 12345 https://a.example/x www.a.example mail a@b.example\r\n" + text);
  const auto other = fingerprint_of_text("ORDER 9 http://other.example/yz www.c.example MAIL x@y.example\r\n\r\n" +
                                         replaced(text, " ", "  "));
  ASSERT_TRUE(one.has_text);
  EXPECT_EQ(shared(one, other, Likeness::text), kTextBands);
}

TEST(Fingerprint, a_near_duplicate_shares_bands_and_another_text_none) {
  const std::string text = text_of(2);
  const auto one = fingerprint_of_text(text);
  const auto near =
      fingerprint_of_text("Dear Anna,\r\n" + replaced(text, "bace", "xyzw") + "\r\nqpwlkejrhg zmxnc bvqpw\r\n");
  EXPECT_GE(shared(one, near, Likeness::text), 2u);
  for (unsigned number = 100; number < 300; ++number) {
    EXPECT_EQ(shared(one, fingerprint_of_text(text_of(number)), Likeness::text), 0u) << number;
  }
}

TEST(Fingerprint, paragraphs_in_another_order_share_most_bands) {
  const std::string a = text_of(3), b = text_of(4), c = text_of(5);
  EXPECT_GE(shared(fingerprint_of_text(a + b + c), fingerprint_of_text(c + a + b), Likeness::text), 6u);
}

TEST(Fingerprint, too_little_text_has_none) {
  EXPECT_FALSE(fingerprint_of_text("Thank you, see you tomorrow.\r\n").has_text);
  EXPECT_FALSE(fingerprint_of_text("").has_text);
  std::string same;
  for (int time = 0; time < 500; ++time) same += "buy now ";
  EXPECT_FALSE(fingerprint_of_text(same).has_text) << "two shingles, often";
  EXPECT_TRUE(fingerprint_of_text(text_of(6, 60)).has_text);
}

TEST(Fingerprint, quoted_lines_are_another_mails) {
  const std::string quoted = "> " + replaced(text_of(7), "\r\n", "\r\n> ");
  EXPECT_FALSE(fingerprint_of_text("I agree with all of it, thank you.\r\n" + quoted).has_text);
  const auto answer = fingerprint_of_text(text_of(8) + quoted);
  EXPECT_EQ(shared(answer, fingerprint_of_text(text_of(8)), Likeness::text), kTextBands);
  EXPECT_TRUE(fingerprint_of_text(quoted).has_text) << "nothing else is there";
}

TEST(Fingerprint, scripts_without_spaces_have_words) {
  std::string one, other;
  for (unsigned at = 0; at < 80; ++at) {
    // U+4E00 and on
    one += {static_cast<char>(0xE4), static_cast<char>(0xB8 + at % 7), static_cast<char>(0x80 + at * 37 % 64)};
    other += {static_cast<char>(0xE5), static_cast<char>(0xB8 + at % 5), static_cast<char>(0x80 + at * 29 % 64)};
  }
  constexpr std::string_view kUtf8 = "Content-Type: text/plain; charset=utf-8\r\n";
  const auto a = fingerprint_of_raw(plain_mail(one, kUtf8)), b = fingerprint_of_raw(plain_mail(one + other, kUtf8));
  ASSERT_TRUE(a.has_text);
  EXPECT_EQ(shared(a, fingerprint_of_raw(plain_mail(other, kUtf8)), Likeness::text), 0u);
  EXPECT_TRUE(b.has_text);
}

std::string html_mail(std::string_view link, std::string_view word, unsigned width) {
  std::string html = "<html><body>";
  for (unsigned row = 0; row < 30; ++row) {
    html += fmt::format(
        "<table width=\"{0}\" bgcolor='#{1:06x}'><tr><td style=\"padding:{1}px\"><A HREF=\"{2}\" id=r{1}>{3}</a>",
        width + row * 7, row, link, word);
    html += row % 3 == 0 ? "<br><img src=x>" : "<p class=c><b>";
  }
  return plain_mail(html, "Content-Type: text/html\r\n");
}

TEST(Fingerprint, structure_is_how_html_looks_whatever_it_says_and_points_to) {
  const auto one = fingerprint_of_raw(html_mail("https://a.example/", "hello", 100));
  const auto same = fingerprint_of_raw(html_mail("https://b.example/123", "quite other words", 100));
  const auto other = fingerprint_of_raw(html_mail("https://a.example/", "hello", 101));
  ASSERT_TRUE(one.has_structure);
  EXPECT_EQ(shared(one, same, Likeness::structure), kStructureBands);
  EXPECT_EQ(shared(one, other, Likeness::structure), 0u);
  EXPECT_FALSE(fingerprint_of_raw(plain_mail("<html><body><p>Hi<br>all", "Content-Type: text/html\r\n")).has_structure);
}

TEST(Fingerprint, encoded_html_has_the_same_structure) {
  const std::string raw = html_mail("https://a.example/", "hello", 100);
  const size_t body = raw.find("\r\n\r\n") + 4;
  const std::string quoted = replaced(replaced(raw.substr(body), "=", "=3D"), "<tr>", "=\r\n<tr>");
  const std::string encoded = "Content-Transfer-Encoding: quoted-printable\r\n" + raw.substr(0, body) + quoted;
  EXPECT_EQ(shared(fingerprint_of_raw(raw), fingerprint_of_raw(encoded), Likeness::structure), kStructureBands);
}

std::string file_mail(std::string_view type, std::string_view content, std::string_view boundary) {
  return fmt::format(
      "From: a@example.org\r\nContent-Type: multipart/mixed; boundary={0}\r\n\r\n--{0}\r\n\r\nhello\r\n--{0}\r\n"
      "Content-Type: {1}\r\nContent-Disposition: attachment; filename=x.bin\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\n{2}\r\n--{0}--\r\n",
      boundary, type, content);
}

TEST(Fingerprint, files_are_known_by_their_decoded_content) {
  const std::string content(8000, 'Q');
  std::string wrapped;
  for (size_t at = 0; at < content.size(); at += 60) wrapped += content.substr(at, 60) + "\r\n";
  const auto one = fingerprint_of_raw(file_mail("application/pdf", content, "b1"));
  const auto same = fingerprint_of_raw(file_mail("application/octet-stream", wrapped, "other"));
  const auto other = fingerprint_of_raw(file_mail("application/pdf", std::string(8000, 'R'), "b1"));
  ASSERT_EQ(one.attachments, 1u);
  EXPECT_EQ(shared(one, same, Likeness::attachment), 1u);
  EXPECT_EQ(shared(one, other, Likeness::attachment), 0u);
  const auto image = fingerprint_of_raw(file_mail("image/png", content, "b1"));
  EXPECT_EQ(image.images, 1u);
  EXPECT_EQ(image.attachments, 0u);
}

TEST(Fingerprint, small_files_and_signatures_have_none) {
  EXPECT_EQ(fingerprint_of_raw(file_mail("image/gif", std::string(2000, 'Q'), "b")).images, 0u);
  EXPECT_EQ(fingerprint_of_raw(file_mail("application/pdf", std::string(400, 'Q'), "b")).attachments, 0u);
  EXPECT_EQ(fingerprint_of_raw(file_mail("application/pkcs7-signature", std::string(4000, 'Q'), "b")).attachments, 0u);
}

TEST(Fingerprint, many_files_are_bounded) {
  std::string raw = "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (int file = 0; file < 40; ++file) {
    raw += fmt::format(
        "--b\r\nContent-Type: application/x-{0}\r\nContent-Disposition: attachment; filename=a{0}\r\n\r\n{1}\r\n", file,
        std::string(1000, static_cast<char>('a' + file % 26)));
  }
  EXPECT_EQ(fingerprint_of_raw(raw).attachments, kMostFiles);
}

TEST(Sketch, agreement_is_about_the_share_of_the_union) {
  size_t agreeing = 0;
  constexpr uint64_t kTrials = 200, kSize = 200;
  for (uint64_t trial = 0; trial < kTrials; ++trial) {
    Sketch<32> a, b;
    for (uint64_t each = 0; each < kSize; ++each) {
      a.add(mixed(trial * 10000 + each));
      b.add(mixed(trial * 10000 + each + kSize / 2));  // half of each in common: a third of the union
    }
    for (size_t bin = 0; bin < 32; ++bin) agreeing += a.bin(bin) == b.bin(bin) && a.bin(bin) != UINT32_MAX;
  }
  EXPECT_NEAR(static_cast<double>(agreeing) / (kTrials * 32), 1.0 / 3, 0.03);
}

TEST(Sketch, small_sets_fill_their_empty_bins_alike) {
  Sketch<32> a, b, none;
  for (uint64_t each = 1; each < 12; ++each) {
    a.add(mixed(each));
    b.add(mixed(12 - each));
  }
  EXPECT_LT(a.filled(), 12u);
  for (size_t band = 0; band < 10; ++band) EXPECT_EQ(a.band(0, band, 3), b.band(0, band, 3));
  EXPECT_NE(a.band(0, 0, 3), a.band(1, 0, 3)) << "bands of another kind";
  EXPECT_EQ(none.band(0, 0, 3), Sketch<32>().band(0, 0, 3));
}

}  // namespace
}  // namespace doorward::trust
