#include "filter/proven_sender.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

namespace doorward::filter {
namespace {

class ProvenSender : public testing::Test {
 protected:
  ProvenSender() { client_.ip = *mail::IpAddress::parse("192.0.2.77"); }

  bool proves(const Entry& entry) const {
    const std::unique_ptr<const Entries> entries = *Entries::compile(5, {entry});
    const std::array<const Entries*, 1> all{entries.get()};
    return is_sender_proven(facts_, all, client_, sender_);
  }
  static Entry pass(EntryKind kind, std::string pattern, const char* network = "192.0.2.0/24") {
    Entry entry{.kind = kind, .pattern = std::move(pattern), .pass = true};
    if (network != nullptr) entry.recorded_network = *mail::Network::parse(network);
    return entry;
  }

  Facts facts_;
  mail::Client client_;
  mail::ReversePath sender_{.mailbox = *mail::parse_mailbox("Anna@Mail.Example.org"), .null = false};
};

TEST_F(ProvenSender, APassForTheAddressOrItsDomainWithTheClientsNetwork) {
  EXPECT_TRUE(proves(pass(EntryKind::sender, "anna@mail.example.org")));
  EXPECT_TRUE(proves(pass(EntryKind::sender, "*@*.example.org")));
  EXPECT_TRUE(proves(pass(EntryKind::sender_domain, "MAIL.example.org")));
  EXPECT_TRUE(proves(pass(EntryKind::sender_domain, "*.example.org")));
}

TEST_F(ProvenSender, SpfOrASignatureOfTheDomain) {
  const Entry other = pass(EntryKind::sender, "otto@mail.example.org");
  facts_.authentication.emplace().spf = {.result = mailauth::Result::pass, .domain = "mail.example.org"};
  EXPECT_TRUE(proves(other));
  facts_.authentication->spf.domain = "example.net";
  EXPECT_FALSE(proves(other)) << "another's proof";
  facts_.authentication->spf = {.result = mailauth::Result::softfail, .domain = "mail.example.org"};
  EXPECT_FALSE(proves(other));
}

TEST_F(ProvenSender, NoOtherEntry) {
  EXPECT_FALSE(proves(pass(EntryKind::sender, "otto@mail.example.org")));
  EXPECT_FALSE(proves(pass(EntryKind::sender_domain, "example.org")));
  EXPECT_FALSE(proves(pass(EntryKind::sender, "anna@mail.example.org", nullptr))) << "no network is recorded";
  EXPECT_FALSE(proves(pass(EntryKind::sender, "anna@mail.example.org", "198.51.100.0/24")));
  Entry block = pass(EntryKind::sender, "anna@mail.example.org");
  block.pass = false;
  EXPECT_FALSE(proves(block));
  EXPECT_FALSE(proves({.kind = EntryKind::network, .pattern = "192.0.2.0/24", .pass = true}))
      << "a network's pass is for whatever comes from there, in anybody's name";
}

TEST_F(ProvenSender, TheNullPathIsNobody) {
  sender_ = {};
  EXPECT_FALSE(proves(pass(EntryKind::sender, "*@*")));
}

}  // namespace
}  // namespace doorward::filter
