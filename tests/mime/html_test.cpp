#include "mime/html.h"

#include <gtest/gtest.h>

#include "mail_text.h"

namespace doorward::mime {
namespace {

struct Read {
  Text text;
  std::vector<Link> links;
  HtmlFacts facts;
};

Read read(std::string_view html, HtmlBounds bounds = {.text_bytes = 1 << 20, .links = 1000}) {
  Read result;
  read_html(html, 0, bounds, result.text, result.links, result.facts);
  return result;
}

std::string visible(std::string_view html) { return read(html).text.visible; }

TEST(Html, BlocksAndWhiteSpace) {
  EXPECT_EQ(visible("<p>one  two\n three</p><p>four<br>five</p>"), "one two three\nfour\nfive");
  EXPECT_EQ(visible("<table><tr><td>a<td>b<tr><td>c</table>"), "a b\nc");
  EXPECT_EQ(visible("<ul><li>a<li>b</ul>c"), "a\nb\nc");
  EXPECT_EQ(visible("a<b>b</b>c <i> d</i>"), "abc d");
  EXPECT_EQ(visible("<pre>a\n  b</pre>"), "a\n  b");
}

TEST(Html, Entities) {
  EXPECT_EQ(visible("&lt;a&gt; &amp; &Auml;&nbsp;&euro; &#228;&#xe4;&#146;&#0;"), "<a> & Ä € ää’\xef\xbf\xbd");
  EXPECT_EQ(visible("&copy2024 &notit; &nosuch; & &;&#;&#x;"), "©2024 ¬it; &nosuch; & &;&#;&#x;");
  EXPECT_EQ(visible("&CounterClockwiseContourIntegral;&NotEqualTilde;"), "∳≂̸");
  EXPECT_EQ(visible("&#128512;"), "😀");
}

TEST(Html, SplitWordsComeTogether) {
  EXPECT_EQ(visible("V<!-- x -->i<b></b>ag<span style='display:none'>zz</span>ra"), "Viagra");
  EXPECT_EQ(visible("Pay\xe2\x80\x8bPal&shy;s&zwnj;!"), "PayPals!");
  EXPECT_EQ(read("Pay\xe2\x80\x8bPal&shy;s&zwnj;!").text.invisible_characters, 3U);
}

struct Hiding {
  const char* html;
};
class HiddenText : public ::testing::TestWithParam<Hiding> {};
TEST_P(HiddenText, IsToldFromTheVisible) {
  const Read result = read(GetParam().html);
  EXPECT_EQ(result.text.visible, "seen") << GetParam().html;
  EXPECT_EQ(result.text.hidden, "unseen") << GetParam().html;
}
INSTANTIATE_TEST_SUITE_P(
    Ways, HiddenText,
    ::testing::Values(
        Hiding{"seen<span style='display:none'>unseen</span>"},
        Hiding{"seen<div style=\"DISPLAY : NONE !important\">unseen</div>"},
        Hiding{"seen<span style=visibility:hidden>unseen</span>"},
        Hiding{"seen<span style='font-size:0'>unseen</span>"}, Hiding{"seen<span style='font-size:1px'>unseen</span>"},
        Hiding{"seen<span style='font:0px/0 Arial'>unseen</span>"}, Hiding{"seen<span style='opacity:0'>unseen</span>"},
        Hiding{"seen<font color=white>unseen</font>"}, Hiding{"seen<font color='#fffffe'>unseen</font>"},
        Hiding{"seen<span style='color:rgb(255, 255,255)'>unseen</span>"},
        Hiding{"seen<span style='color:rgba(0,0,0,0)'>unseen</span>"},
        Hiding{"seen<span style='color:transparent'>unseen</span>"},
        Hiding{"seen<span style='color:#12345601'>unseen</span>"},
        Hiding{"<body bgcolor=#0000ff text=white>seen<font color=blue>unseen</font>"},
        Hiding{"seen<div style='background:#333;color:#333'>unseen</div>"},
        Hiding{"seen<div style='height:0;overflow:hidden'>unseen</div>"},
        Hiding{"seen<div style='max-height:0px;overflow:hidden;mso-hide:all'>unseen</div>"},
        Hiding{"seen<div style='position:absolute;left:-9999px'>unseen</div>"},
        Hiding{"seen<div style='text-indent:-999em'>unseen</div>"}, Hiding{"seen<div hidden>unseen</div>"},
        Hiding{"<style>.x{display:none}</style>seen<p class='a X'>unseen</p>"},
        Hiding{"<style>/* c */ a{} #y, p.z {font-size:0px}</style>seen<p id=y>unseen</p>"},
        Hiding{"seen<i class=late>unseen</i><style>i.late{color:#fff}</style>"}, Hiding{"<title>unseen</title>seen"},
        Hiding{"seen<!-- unseen -->"}, Hiding{"seen<!--[if mso]><p>unseen</p><![endif]-->"},
        Hiding{"seen<div style='font-size:0'><span style='font-size:2em'>unseen</span></div>"},
        Hiding{"seen<span style='display:&#110;one'>unseen</span>"}, Hiding{"<p style='display:none'>unseen<p>seen"},
        Hiding{"<table><tr><td style='display:none'>unseen<td>seen</table>"}));

TEST(Html, VisibleAfterAll) {
  EXPECT_EQ(visible("<div style='font-size:0'><span style='font-size:14px'>a</span></div>"), "a");
  EXPECT_EQ(visible("<div style='visibility:hidden'><b style='visibility:visible'>a</b></div>"), "a");
  EXPECT_EQ(visible("<td bgcolor=black><font color=white>a</font></td>"), "a");
  EXPECT_EQ(visible("<td background='x.png'><font color=white>a</font></td>"), "a");
  EXPECT_EQ(visible("<div style='background:url(x.png)'><font color=white>a</font></div>"), "a");
  EXPECT_EQ(visible("<font color=white><a href='http://e.com'>a</a></font>"), "a");
  EXPECT_EQ(visible("<style>@media print{.x{display:none}} .y .x{display:none}</style><p class=x>a"), "a");
  EXPECT_EQ(visible("<!--[if !mso]><!-->a<!--<![endif]-->"), "a");
  EXPECT_EQ(visible("<noscript>a</noscript>"), "a");  // mail clients run no scripts, so they show it
}

TEST(Html, NotText) {
  EXPECT_EQ(visible("a<script>if (x<y) '</p>'</script>b<style>p{}</style>c"), "abc");
  EXPECT_EQ(visible("<input type=submit value=Send><input type=hidden value=x><img alt='a picture'>"),
            "Send a picture");
  EXPECT_EQ(visible("a < b <3 c"), "a < b <3 c");
  EXPECT_EQ(visible("<?xml version=1?><!DOCTYPE html>a"), "a");
}

TEST(Html, Links) {
  const Read result = read(
      "<a href=' http://a.example/x?a=1&amp;b=2\n'>Your <b>bank</b></a><img src=//b.example/i.gif><form "
      "action=http://c.example/>"
      "<map><area href=http://d.example/></map><iframe src='http://e.example/'></iframe>"
      "<meta http-equiv=Refresh content=\"0; URL='http://f.example/'\"><a href='#top'>x</a><a href='cid:1'>y</a>");
  ASSERT_EQ(result.links.size(), 6U);
  EXPECT_EQ(result.links[0].url, "http://a.example/x?a=1&b=2");
  EXPECT_EQ(result.links[0].shown, "Your bank");
  EXPECT_EQ(result.links[0].source, LinkSource::html_href);
  EXPECT_FALSE(result.links[0].hidden);
  EXPECT_EQ(result.links[1].source, LinkSource::html_image);
  EXPECT_EQ(result.links[1].url, "https://b.example/i.gif");
  EXPECT_EQ(result.links[2].source, LinkSource::html_form);
  EXPECT_EQ(result.links[3].url, "http://d.example/");
  EXPECT_EQ(result.links[4].source, LinkSource::html_other);
  EXPECT_EQ(result.links[5].url, "http://f.example/");
}

TEST(Html, LinksInDisguise) {
  const auto url = [](std::string_view html) { return read(html).links.at(0).url; };
  EXPECT_EQ(url("<a href='ht&#9;tp:\\\\e&#46;com\\x'>a</a>"), "http://e.com/x");
  EXPECT_EQ(url("<a href='HTTP:/e.com'>a</a>"), "http://e.com");
  EXPECT_EQ(url("<a href='https:e.com'>a</a>"), "https://e.com");
  EXPECT_EQ(url("<a href=http://e.com/a/b>a</a>"), "http://e.com/a/b");
  EXPECT_EQ(url("<a\nHREF\n=\n'http://e.com'\n>a</a>"), "http://e.com");
  EXPECT_EQ(url("<a/href='http://e.com'/>a</a>"), "http://e.com");
  EXPECT_EQ(url("<a href='http://e.com>click</a> here"), "http://e.com");  // the quote is never closed
  EXPECT_EQ(url("<base href='http://b.com/d/e.html'><a href='f?g'>a</a>"), "http://b.com/d/f?g");
  EXPECT_EQ(url("<base href='http://b.com/d/e.html'><a href='/f'>a</a>"), "http://b.com/f");
  EXPECT_EQ(url("<a href='www.e.com/x'>a</a>"), "http://www.e.com/x");
  EXPECT_EQ(url("<!--[if mso]><v:roundrect href='http://e.com/'></v:roundrect><![endif]-->"), "http://e.com/");
  EXPECT_EQ(url("<div style=\"background-image:url('http://e.com/i.png')\">a</div>"), "http://e.com/i.png");
}

TEST(Html, LinksHiddenAndInText) {
  Read result = read(
      "<a href=http://a.com><span style='display:none'>x</span></a><a href=http://b.com><img src=http://c.com/i></a>");
  ASSERT_EQ(result.links.size(), 3U);
  EXPECT_TRUE(result.links[0].hidden);
  EXPECT_EQ(result.links[0].shown, "x");
  EXPECT_FALSE(result.links[1].hidden);
  // A picture is seen whatever the font's size is: newsletters set it to nothing against gaps.
  result = read("<td style='font-size:0'><a href=http://b.com><img src=http://c.com/i alt=x></a></td>");
  EXPECT_FALSE(result.links[0].hidden);
  EXPECT_FALSE(result.links[1].hidden);
  result = read("see http://t.com/x. <a href=http://a.com>http://shown.com</a>");
  ASSERT_EQ(result.links.size(), 2U);
  EXPECT_EQ(result.links[0].shown, "http://shown.com");
  EXPECT_EQ(result.links[1].url, "http://t.com/x");
  EXPECT_EQ(result.links[1].source, LinkSource::text);
}

TEST(Html, Facts) {
  const Read result = read(
      "<form><input type=PASSWORD></form><script></script><iframe></iframe><img src=http://x/><img src=cid:1><img "
      "src=data:image/png,x>"
      "<object></object><p onclick=x onload=y>ab<span style=display:none>cde</span>");
  EXPECT_EQ(result.facts.forms, 1U);
  EXPECT_EQ(result.facts.password_fields, 1U);
  EXPECT_EQ(result.facts.scripts, 1U);
  EXPECT_EQ(result.facts.iframes, 1U);
  EXPECT_EQ(result.facts.images, 3U);
  EXPECT_EQ(result.facts.remote_images, 1U);
  EXPECT_EQ(result.facts.objects, 1U);
  EXPECT_EQ(result.facts.event_handlers, 2U);
  EXPECT_EQ(result.facts.data_urls, 1U);
  EXPECT_EQ(result.facts.visible_characters, 2U);
  EXPECT_EQ(result.facts.hidden_characters, 3U);
}

TEST(Html, StrayEndTagsCloseNothingOutsideTheirCell) {
  EXPECT_EQ(visible("<div style='display:none'><table><tr><td></div>x</td></tr></table></div>y"), "y");
  EXPECT_EQ(visible("</b></p></td>x"), "x");
}

TEST(Html, BoundsHold) {
  EXPECT_LE(visible(testing::repeated("<p>word ", 100'000)).size(), 100'000U);
  const Read few = read(testing::repeated("<a href=http://a.com>x</a> ", 100'000), {.text_bytes = 100, .links = 5});
  EXPECT_EQ(few.links.size(), 5U);
  EXPECT_LE(few.text.visible.size(), 110U);
  EXPECT_GT(read(testing::repeated("<div>", 100'000)).facts.unclosed_or_nested_too_deep, 1000U);
}

// Inputs on which a careless reader takes time that grows with the square: they would run for minutes.
TEST(Html, HostileInputTakesLinearTime) {
  for (const char* piece :
       {"<", "<a ", "<a href=\"", "<a b='", "<!--", "<!--[if x]>", "--", "<style>", "<script></s", "<title>", "&",
        "<table><td>", "<p>", "</p></b>", "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "<!--[if x]><a b=\"'--><a b='"}) {
    read(testing::repeated("<div>", 5000) + testing::repeated(piece, 1 << 20));
  }
}

TEST(Html, MetaCharset) {
  EXPECT_EQ(meta_charset("<meta charset=\"utf-8\">"), "utf-8");
  EXPECT_EQ(meta_charset("<META http-equiv=Content-Type content='text/html; charset=koi8-r'>"), "koi8-r");
  EXPECT_EQ(meta_charset("<p>"), "");
}

}  // namespace
}  // namespace doorward::mime
