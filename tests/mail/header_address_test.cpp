#include "mail/header_address.h"

#include <gtest/gtest.h>

#include <string>

namespace doorward::mail {
namespace {

// "name <address>(comment)" of each, "!" before those without a valid mailbox, then the list's marks.
std::string show(std::string_view value) {
  const auto list = parse_address_list(value);
  std::string result;
  for (const auto& a : list.addresses) {
    if (!result.empty()) result += " | ";
    result += (a.mailbox ? "" : "!") + a.display_name + "<" + a.address + ">";
    if (!a.comment.empty()) result += "(" + a.comment + ")";
  }
  if (list.malformed) result += " malformed";
  if (list.group) result += " group";
  if (list.truncated) result += " truncated";
  return result;
}

TEST(HeaderAddress, PlainForms) {
  EXPECT_EQ(show("a@b.example"), "<a@b.example>");
  EXPECT_EQ(show(" <a@b.example> "), "<a@b.example>");
  EXPECT_EQ(show("A  B <a@b.example>, c@d.example"), "A B<a@b.example> | <c@d.example>");
  EXPECT_EQ(show("\"B, A\" <a@b.example>"), "B, A<a@b.example>");
  EXPECT_EQ(show("\"q \\\"x\\\" \\\\\"\t<a@b.example>"), "q \"x\" \\<a@b.example>");
  EXPECT_EQ(show("=?utf-8?Q?J=C3=B6rg?= <a@b.example>"), "=?utf-8?Q?J=C3=B6rg?=<a@b.example>");
  EXPECT_EQ(show("\"a b\"@c.example"), "<\"a b\"@c.example>");
  EXPECT_EQ(show("a@[192.0.2.1]"), "<a@[192.0.2.1]>");
  EXPECT_EQ(show("J\xC3\xB6rg <j\xC3\xB6rg@b.example>"), "J\xC3\xB6rg<j\xC3\xB6rg@b.example>");
  EXPECT_EQ(show(""), "");
}

TEST(HeaderAddress, FoldingAndComments) {
  EXPECT_EQ(show("A\r\n B\r\n\t<a@b.example>,\r\n c@d.example"), "A B<a@b.example> | <c@d.example>");
  EXPECT_EQ(show("a@b.example (A (nested\\)) B)"), "<a@b.example>(A (nested)) B)");
  EXPECT_EQ(show("(x) a (y) @ (z) b.example"), "<a@b.example>(z)");
  EXPECT_EQ(show("A <a(c)@b.example>"), "A<a@b.example>(c)");
}

TEST(HeaderAddress, Groups) {
  EXPECT_EQ(show("undisclosed-recipients:;"), " group");
  EXPECT_EQ(show("Team: A <a@b.example>, c@d.example; e@f.example"),
            "A<a@b.example> | <c@d.example> | <e@f.example> group");
  EXPECT_EQ(show("Team: a@b.example"), "<a@b.example> malformed group");
}

TEST(HeaderAddress, ObsoleteForms) {
  EXPECT_EQ(show("A <@one.example,@two.example:a@b.example>"), "A<a@b.example>");
  EXPECT_EQ(show("a @ b . example"), "<a@b.example>");
  EXPECT_EQ(show(",, a@b.example,,"), "<a@b.example>");
  EXPECT_EQ(show("A. B. <a@b.example>"), "A. B.<a@b.example>");
}

TEST(HeaderAddress, WhatClientsPutUpWith) {
  EXPECT_EQ(show("a@b.example; c@d.example"), "<a@b.example> | <c@d.example> malformed");
  EXPECT_EQ(show("A B a@b.example"), "A B<a@b.example> malformed");
  EXPECT_EQ(show("A <a@b.example"), "A<a@b.example> malformed");
  EXPECT_EQ(show("\"A <a@b.example>"), "!<\"A <a@b.example>> malformed");
  EXPECT_EQ(show("a@b.example <c@d.example>"), "a@b.example<c@d.example>");
  EXPECT_EQ(show("<a@b.example> <c@d.example>"), "<c@d.example> malformed");
  EXPECT_EQ(show("A <<a@b.example>>"), "A<a@b.example> malformed");
  EXPECT_EQ(show("A <not an address>"), "!A<notanaddress> malformed");
  EXPECT_EQ(show("Nobody <>"), "!Nobody<>");
  EXPECT_EQ(show("just a name"), "!<just a name> malformed");
  EXPECT_EQ(show("(unclosed"), " malformed");
}

TEST(HeaderAddress, Bounds) {
  std::string many;
  for (int i = 0; i < 1200; ++i) many += "a@b.example,";
  const auto list = parse_address_list(many);
  EXPECT_EQ(list.addresses.size(), kMaxHeaderAddresses);
  EXPECT_TRUE(list.truncated);
  EXPECT_TRUE(parse_address_list(std::string(1 << 20, '(')).malformed);
  EXPECT_TRUE(parse_address_list(std::string(1 << 20, 'a')).truncated);
  EXPECT_LE(parse_address_list(std::string(1 << 20, '<')).addresses.size(), 1U);
}

}  // namespace
}  // namespace doorward::mail
