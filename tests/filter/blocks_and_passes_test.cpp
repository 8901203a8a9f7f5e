#include "filter/blocks_and_passes.h"

#include <gtest/gtest.h>

#include <optional>

#include "filter/case.h"
#include "filter/entries.h"

namespace doorward::filter {
namespace {

using sheet::Stance;
using Compiled = std::unique_ptr<const Entries>;

Compiled compiled(std::vector<Entry> entries, uint64_t owner = 5) {
  auto made = Entries::compile(owner, std::move(entries));
  EXPECT_TRUE(made) << made.error().text();
  return std::move(*made);
}

TestMail mail_from(std::string_view sender, std::string_view from = "Anna <anna@example.org>") {
  TestMail mail(
      "From: " + std::string(from) +
      "\nSubject: Your  INVOICE from Müller\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
      "Content-Type: text/plain; charset=utf-8\n\nPlease pay\nthe sum of 100 Euro.\n--b\n"
      "Content-Type: application/pdf; name=\"Rechnung 12.PDF\"\nContent-Disposition: attachment\n\nx\n--b--\n");
  if (!sender.empty()) mail.envelope.from = {.mailbox = *mail::parse_mailbox(sender), .null = false};
  mail.client.ip = *mail::IpAddress::parse("192.0.2.77");
  return mail;
}

// The stance of one entry for a mail; nothing where it does not match.
std::optional<Stance> stance(const Entry& entry, TestMail& mail) {
  const auto entries = compiled({entry});
  mail.input.entries = {entries.get()};
  const auto findings = mail.judged_by(blocks_and_passes());
  EXPECT_TRUE(mail.unknown.empty());
  if (findings.empty()) return std::nullopt;
  EXPECT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].owner, 5U);
  EXPECT_EQ(findings[0].own_points, sheet::Points());
  return findings[0].stance;
}
bool blocks(EntryKind kind, std::string pattern) {
  TestMail mail = mail_from("Bounce-12@Mail.Example.NET");
  return stance({.kind = kind, .pattern = std::move(pattern)}, mail) == Stance::block;
}

TEST(BlocksAndPasses, senders) {
  EXPECT_TRUE(blocks(EntryKind::sender, "bounce-12@mail.example.net"));
  EXPECT_TRUE(blocks(EntryKind::sender, "ANNA@example.org")) << "the From field is a sender too";
  EXPECT_TRUE(blocks(EntryKind::sender, "bounce-*@mail.example.net"));
  EXPECT_TRUE(blocks(EntryKind::sender, "bounce-??@*.net"));
  EXPECT_FALSE(blocks(EntryKind::sender, "bounce-?@*.net"));
  EXPECT_FALSE(blocks(EntryKind::sender, "12@mail.example.net"));
  TestMail bounce = mail_from("");
  EXPECT_EQ(stance({.kind = EntryKind::sender, .pattern = "<>"}, bounce), Stance::block);
}

TEST(BlocksAndPasses, domains) {
  EXPECT_TRUE(blocks(EntryKind::sender_domain, "mail.EXAMPLE.net"));
  EXPECT_TRUE(blocks(EntryKind::sender_domain, "@example.org"));
  EXPECT_TRUE(blocks(EntryKind::sender_domain, "*.example.net"));
  EXPECT_FALSE(blocks(EntryKind::sender_domain, "example.net"));
}

TEST(BlocksAndPasses, networks) {
  EXPECT_TRUE(blocks(EntryKind::network, "192.0.2.77"));
  EXPECT_TRUE(blocks(EntryKind::network, "192.0.2.0/24"));
  EXPECT_TRUE(blocks(EntryKind::network, "192.0.0.0/9"));
  EXPECT_FALSE(blocks(EntryKind::network, "192.0.3.0/24"));
  EXPECT_FALSE(blocks(EntryKind::network, "2001:db8::/32"));
}

TEST(BlocksAndPasses, file_names) {
  EXPECT_TRUE(blocks(EntryKind::file_name, "*.pdf"));
  EXPECT_TRUE(blocks(EntryKind::file_name, "rechnung 12.pdf"));
  EXPECT_TRUE(blocks(EntryKind::file_name, "rechnung ??.*"));
  EXPECT_FALSE(blocks(EntryKind::file_name, "*.exe"));
}

TEST(BlocksAndPasses, a_blocked_file_name_has_a_symbol_of_its_own) {
  TestMail mail = mail_from("anna@example.org");
  const auto symbol = [&](EntryKind kind, std::string pattern) {
    const auto entries = compiled({{.kind = kind, .pattern = std::move(pattern)}});
    mail.input.entries = {entries.get()};
    const auto findings = mail.judged_by(blocks_and_passes());
    return findings.size() == 1 ? std::string(findings[0].symbol) : "none";
  };
  EXPECT_EQ(symbol(EntryKind::file_name, "*.pdf"), "file_name_blocked");
  EXPECT_EQ(symbol(EntryKind::subject_part, "invoice"), "block");
  EXPECT_TRUE(mail.unknown.empty());
}

TEST(BlocksAndPasses, both_names_of_a_file_count) {
  TestMail mail(
      "Content-Type: application/pdf; name=\"a.exe\"\nContent-Disposition: attachment; filename=\"a.pdf\"\n\nx\n");
  EXPECT_EQ(stance({.kind = EntryKind::file_name, .pattern = "*.pdf"}, mail), Stance::block);
  EXPECT_EQ(stance({.kind = EntryKind::file_name, .pattern = "*.exe"}, mail), Stance::block);
}

TEST(BlocksAndPasses, parts_of_subject_and_body) {
  EXPECT_TRUE(blocks(EntryKind::subject_part, "invoice"));
  EXPECT_TRUE(blocks(EntryKind::subject_part, "your invoice"));
  EXPECT_TRUE(blocks(EntryKind::subject_part, "MÜLLER"));
  EXPECT_TRUE(blocks(EntryKind::subject_part, "inv*m?ller"));
  EXPECT_FALSE(blocks(EntryKind::subject_part, "pay"));
  EXPECT_TRUE(blocks(EntryKind::body_part, "pay the sum"));
  EXPECT_TRUE(blocks(EntryKind::body_part, "sum of * euro"));
  EXPECT_FALSE(blocks(EntryKind::body_part, "invoice"));
}

Facts proven_by_spf(std::string domain) {
  Facts facts;
  facts.authentication.emplace().spf = {.result = mailauth::Result::pass, .domain = std::move(domain)};
  return facts;
}

TEST(BlocksAndPasses, a_pass_needs_a_proven_sender) {
  TestMail mail = mail_from("anna@example.org");
  const Entry pass{.kind = EntryKind::sender, .pattern = "anna@example.org", .pass = true};
  EXPECT_EQ(stance(pass, mail), Stance::none);
  mail.facts = proven_by_spf("evil.example");
  EXPECT_EQ(stance(pass, mail), Stance::none) << "another's domain proves nothing";
  mail.facts = proven_by_spf("example.org");
  EXPECT_EQ(stance(pass, mail), Stance::pass);
  mail.facts = proven_by_spf("someone.example.org");
  EXPECT_EQ(stance(pass, mail), Stance::none) << "who has a part of a domain does not have the domain";
  mail.facts = proven_by_spf("org");
  EXPECT_EQ(stance(pass, mail), Stance::none);
}

TEST(BlocksAndPasses, a_forged_from_does_not_pass_by_another_domains_proof) {
  TestMail mail = mail_from("x@evil.example");
  mail.facts = proven_by_spf("evil.example");
  EXPECT_EQ(stance({.kind = EntryKind::sender, .pattern = "anna@example.org", .pass = true}, mail), Stance::none);
  EXPECT_FALSE(Entries::compile(1, {{.kind = EntryKind::sender_domain, .pattern = "*", .pass = true}})) << "everybody";
}

TEST(BlocksAndPasses, a_recorded_network_proves_the_sender) {
  TestMail mail = mail_from("anna@example.org");
  Entry pass{.kind = EntryKind::sender_domain,
             .pattern = "example.org",
             .pass = true,
             .recorded_network = mail::Network::parse("192.0.2.0/26")};
  EXPECT_EQ(stance(pass, mail), Stance::none);
  pass.recorded_network = mail::Network::parse("192.0.2.64/26");
  EXPECT_EQ(stance(pass, mail), Stance::pass);
}

TEST(BlocksAndPasses, the_nearest_level_is_listed_first_and_its_pass_before_its_block) {
  TestMail mail = mail_from("anna@example.org");
  const auto near = compiled({{.kind = EntryKind::subject_part, .pattern = "invoice"},
                              {.kind = EntryKind::network, .pattern = "192.0.2.0/24", .pass = true}},
                             30);
  const auto far = compiled({{.kind = EntryKind::sender_domain, .pattern = "example.org"}}, 20);
  mail.input.entries = {near.get(), far.get()};
  const auto findings = mail.judged_by(blocks_and_passes());
  ASSERT_EQ(findings.size(), 3U);
  EXPECT_EQ(findings[0].stance, Stance::pass);
  EXPECT_EQ(findings[0].owner, 30U);
  EXPECT_EQ(findings[1].stance, Stance::block);
  EXPECT_EQ(findings[2].owner, 20U);
}

TEST(Entries, says_what_is_wrong) {
  const auto wrong = [](EntryKind kind, std::string pattern) {
    return !Entries::compile(1, {{.kind = kind, .pattern = std::move(pattern)}});
  };
  EXPECT_TRUE(wrong(EntryKind::network, "192.0.2.1/24"));
  EXPECT_TRUE(wrong(EntryKind::network, "example.org"));
  EXPECT_TRUE(wrong(EntryKind::sender, "anna"));
  EXPECT_TRUE(wrong(EntryKind::sender, ""));
  EXPECT_TRUE(wrong(EntryKind::body_part, "* ?"));
  EXPECT_TRUE(wrong(EntryKind::file_name, std::string(400, 'a')));
  EXPECT_TRUE(wrong(EntryKind::subject_part, "\xFF"));
  EXPECT_FALSE(wrong(EntryKind::sender, "*firma@d.example"));
  const auto error = Entries::compile(1, {{.kind = EntryKind::network, .pattern = "nowhere"}});
  ASSERT_FALSE(error);
  EXPECT_NE(error.error().text().find("nowhere"), std::string::npos);
}

}  // namespace
}  // namespace doorward::filter
