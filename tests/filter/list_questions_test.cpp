#include "filter/list_questions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "filter/case.h"

namespace doorward::filter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const BlockList kIps{.zone = "ip.list", .received = 0};
const BlockList kDeep{.zone = "deep.list", .received = 2};
const BlockList kDomains{.zone = "dom.list", .kind = ListKind::domain};

const BlockList kAddresses{.zone = "mail.list", .kind = ListKind::email, .tested = false};
const BlockList kLinks{.zone = "link.list", .kind = ListKind::link, .tested = false};

std::vector<std::string> asked(const BlockList& list, const std::string& mail, const char* ip = "192.0.2.7",
                               size_t most = 60) {
  TestMail test(mail);
  test.client.ip = *mail::IpAddress::parse(ip);
  test.envelope.from.null = false;
  test.envelope.from.mailbox = *mail::parse_mailbox("b@mail.sender.co.uk");
  std::vector<std::string> names;
  const std::vector<BlockList> lists{list};
  for (const auto& question : list_questions(lists, {true}, test.client, test.envelope, test.message, most)) {
    names.push_back(question.name);
  }
  EXPECT_TRUE(list_questions(lists, {false}, test.client, test.envelope, test.message, most).empty());
  return names;
}

TEST(ListQuestions, TheClientsAddressReversed) {
  EXPECT_THAT(asked(kIps, "Subject: x\n\n"), ElementsAre("7.2.0.192.ip.list"));
  EXPECT_THAT(asked(kIps, "Subject: x\n\n", "2001:db8::1"),
              ElementsAre("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip.list"));
  EXPECT_THAT(asked(kIps, "Subject: x\n\n", "10.1.2.3"), IsEmpty()) << "nobody lists a private address";
}

TEST(ListQuestions, AsManyServersBeforeItAsTheListWants) {
  const std::string mail =
      "Received: from a.example (a.example [198.51.100.1]) by mx.example; x\n"
      "Received: from [IPv6:2001:db8::2] (unknown [10.0.0.1])\n by b.example\n"
      "Received: from c.example ([198.51.100.3]) by d.example\n\n";
  EXPECT_THAT(asked(kIps, mail), ElementsAre("7.2.0.192.ip.list"));
  EXPECT_THAT(asked(kDeep, mail),
              ElementsAre("7.2.0.192.deep.list", "1.100.51.198.deep.list",
                          "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.deep.list"));
  EXPECT_THAT(asked(kDeep, "Received: nonsense\nReceived: from [999.1.1.1] ([)\n\n"),
              ElementsAre("7.2.0.192.deep.list"));
}

TEST(ListQuestions, RegisteredDomainsOfSenderAndLinksEachOnce) {
  const std::string mail =
      "From: a@news.author.example\nMIME-Version: 1.0\nContent-Type: text/html\n\n"
      "<a href='https://x.y.evil.com/1'>a</a><a href='http://EVIL.com'>b</a><a href='https://bit.ly/2'>c</a>"
      "<a href='https://www.google.com/url?q=http://hidden.net/'>d</a><a href='http://192.0.2.9/'>e</a> www.bare.org\n";
  EXPECT_THAT(asked(kDomains, mail),
              UnorderedElementsAre("sender.co.uk.dom.list", "author.example.dom.list", "evil.com.dom.list",
                                   "hidden.net.dom.list", "bare.org.dom.list"));
}

TEST(ListQuestions, WhoSaysToHaveSentIt) {
  TestMail test(
      "From: a@author.example\nReply-To: <x@y.answers.example>\nDKIM-Signature: v=1; d=mail.signer.example; s=k\n"
      "DKIM-Signature: broken\nMIME-Version: 1.0\nContent-Type: text/html\n\n"
      "<a href='mailto:me@box.written.example?subject=x'>a</a>\n");
  const auto places = [&](const std::string& helo) {
    test.client.helo = helo;
    std::vector<std::string> found;
    const std::vector<BlockList> lists{kDomains};
    for (const auto& one : list_questions(lists, {true}, test.client, test.envelope, test.message, 60)) {
      found.push_back(one.object + " " + std::string(one.where));
    }
    return found;
  };
  EXPECT_THAT(places("mx.greeting.example"),
              UnorderedElementsAre("author.example sender", "answers.example sender", "signer.example signature",
                                   "greeting.example helo", "written.example link"));
  for (const char* helo : {"", "localhost", "[192.0.2.1]", "192.0.2.1", "no name"}) {
    EXPECT_EQ(places(helo).size(), 4U) << helo;
  }
}

TEST(ListQuestions, LinksInAttachmentsToo) {
  const std::string mail =
      "From: a@mail.sender.co.uk\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n"
      "see http://shown.com/\n--b\nContent-Type: text/html; name=a.html\n\n<a href='http://x.attached.net/1'>a</a>\n"
      "--b--\n";
  EXPECT_THAT(asked(kDomains, mail),
              UnorderedElementsAre("sender.co.uk.dom.list", "shown.com.dom.list", "attached.net.dom.list"));
  EXPECT_EQ(asked(kLinks, mail).size(), 2U);
}

TEST(ListQuestions, HashesOfAddressesAndLinks) {
  const std::string mail =
      "From: x <Test+1@example.com>\nReply-To: b@mail.sender.co.uk\nMIME-Version: 1.0\nContent-Type: text/html\n\n"
      "<a href='mailto:test@EXAMPLE.com?subject=x'>a</a><a href='http://evil.com/a?b=C#d'>b</a>\n";
  const auto addresses = asked(kAddresses, mail);
  EXPECT_EQ(addresses.size(), 2U) << "each once";
  EXPECT_THAT(addresses, testing::Contains("567159d622ffbb50b11b0efd307be358624a26ee.mail.list"));
  EXPECT_THAT(asked(kLinks, mail), ElementsAre("6463e79187e73207c871be1ce35827a1e413d535.link.list"));
}

TEST(ListQuestions, AreBounded) {
  std::string mail = "MIME-Version: 1.0\nContent-Type: text/html\n\n";
  for (int i = 0; i < 1000; ++i) mail += "<a href='http://d" + std::to_string(i) + ".com/'>x</a>\n";
  EXPECT_EQ(asked(kDomains, mail).size(), 30U);
  EXPECT_EQ(asked(kDomains, mail, "192.0.2.7", 5).size(), 5U);
  EXPECT_EQ(asked(kLinks, mail).size(), 20U);
}

TEST(ListQuestions, WhoRegisteredAName) {
  EXPECT_EQ(registered_domain("a.b.example.co.uk"), "example.co.uk");
  EXPECT_EQ(registered_domain("co.uk"), "");
  EXPECT_EQ(registered_domain(""), "");
}

}  // namespace
}  // namespace doorward::filter
