// The isemail cases (tests/data/isemail) held against our envelope grammar.
//
// The rule: what isemail files under VALID, DNSWARN or RFC5321 ("valid for SMTP") is accepted by parse_mailbox; what it
// files under CFWS, DEPREC, RFC5322 or ERR (comments, folding, obsolete forms, wrong lengths, nonsense) is refused.
// Exceptions, each by its diagnosis or address, stand in `exception()` with their reason.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance.h"
#include "mail/address.h"

namespace doorward::mail {
namespace {

struct Case {
  std::string id, address, category, diagnosis;
};

std::string element(std::string_view xml, const std::string& name) {
  const size_t begin = xml.find("<" + name + ">");
  if (begin == std::string_view::npos) return {};
  const size_t from = begin + name.size() + 2;
  return std::string(xml.substr(from, xml.find("</" + name + ">", from) - from));
}

void append_utf8(std::string& to, unsigned code) {
  if (code < 0x80) {
    to += static_cast<char>(code);
  } else if (code < 0x800) {
    to += static_cast<char>(0xC0 | code >> 6);
    to += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    to += static_cast<char>(0xE0 | code >> 12);
    to += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    to += static_cast<char>(0x80 | (code & 0x3F));
  }
}

// Entities, and U+2400 to U+241F, which stand for the controls that XML cannot hold.
std::string decoded(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    if (text.front() != '&') {
      result += text.front();
      text.remove_prefix(1);
      continue;
    }
    const size_t end = text.find(';');
    const std::string entity(text.substr(1, end - 1));
    text.remove_prefix(end + 1);
    if (entity == "lt") result += '<';
    if (entity == "gt") result += '>';
    if (entity == "amp") result += '&';
    if (entity == "quot") result += '"';
    if (entity.starts_with("#x")) {
      const auto code = static_cast<unsigned>(std::stoul(entity.substr(2), nullptr, 16));
      append_utf8(result, code >= 0x2400 && code < 0x2420 ? code - 0x2400 : code);
    }
  }
  return result;
}

std::vector<Case> read_cases(const std::string& file) {
  std::ifstream in(std::string(TEST_DATA) + "/isemail/" + file, std::ios::binary);
  const std::string xml((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::vector<Case> result;
  for (size_t at = xml.find("<test id="); at != std::string::npos; at = xml.find("<test id=", at + 1)) {
    const std::string_view test = std::string_view(xml).substr(at, xml.find("</test>", at) - at);
    result.push_back({std::string(test.substr(10, test.find('"', 10) - 10)), decoded(element(test, "address")),
                      element(test, "category"), element(test, "diagnosis")});
  }
  return result;
}

bool valid_for_smtp(const std::string& category) {
  return category == "ISEMAIL_VALID_CATEGORY" || category == "ISEMAIL_DNSWARN" || category == "ISEMAIL_RFC5321";
}

std::optional<bool> exception(const Case& c) {
  // RFC 5321 §4.1.3: "::" in an address literal stands for two groups or more. (isemail's later version files these
  // under DEPREC itself; its original set still says RFC5321.)
  if (c.diagnosis == "ISEMAIL_RFC5321_IPV6DEPRECATED") return false;
  // General-address-literal (RFC 5321 §4.1.3): a tag, a colon, dcontent. That no such tag is registered makes them
  // unreachable, not ungrammatical; isemail sees domain literals of RFC 5322 in them.
  if (c.address == "test@[1111:2222:3333:4444:5555:6666:7777:8888]") return true;
  if (c.address == "first.last@[IPv5:::12.34.56.78]") return true;
  return std::nullopt;
}

class Isemail : public testing::TestWithParam<std::string> {};

TEST_P(Isemail, CasesAreAcceptedOrRefusedAsTheEnvelopeAllows) {
  const auto cases = read_cases(GetParam());
  ASSERT_GE(cases.size(), 50U);
  test::Conformance suite("isemail-" + GetParam().substr(0, GetParam().find('.')));
  for (const Case& c : cases) {
    suite.begin();
    if (exception(c)) suite.except();
    const bool expected = exception(c).value_or(valid_for_smtp(c.category));
    const auto mailbox = parse_mailbox(c.address);
    EXPECT_EQ(mailbox.has_value(), expected)
        << c.id << " " << c.diagnosis << " " << c.address << ": " << (mailbox ? mailbox->text() : mailbox.error().what);
    if (!mailbox) continue;
    const auto again = parse_mailbox(mailbox->text());
    ASSERT_TRUE(again) << mailbox->text();
    EXPECT_EQ(*again, *mailbox);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, Isemail, testing::Values("tests.xml", "tests-original.xml"), [](const auto& info) {
  return std::string(info.param == "tests.xml" ? "Present" : "Original");
});

}  // namespace
}  // namespace doorward::mail
