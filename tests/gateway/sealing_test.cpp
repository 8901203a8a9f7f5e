#include "gateway/sealing.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "mailauth/dkim_mail.h"

namespace doorward::gateway {
namespace {

constexpr const char* kKey = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";

class SealingTest : public testing::Test {
 protected:
  SealingTest() : file_(std::filesystem::path(testing::TempDir()) / "doorward-sealing.key") {
    std::ofstream(file_) << kKey;
    names_.zone.txt("s._domainkey.gate.example", mailauth::SigningKey::read(kKey).value().record());
  }
  ~SealingTest() override { std::filesystem::remove(file_); }

  std::filesystem::path file_;
  mailauth::test::Verifier names_;
};

TEST_F(SealingTest, WhatWasChangedHasAChainThatHolds) {
  const auto sealer = Sealer::load({.domain = "Gate.Example", .selector = "s", .key_file = file_.string()});
  ASSERT_TRUE(sealer) << sealer.error().text();
  const std::string raw = "From: a@example.org\r\nSubject: one\r\n\r\nHello\r\n";
  mime::Edits edits;
  ASSERT_TRUE(edits.add({.offset = raw.find("one"), .length = 3, .replacement = "[tag] one"}));
  edits.prepend("Received: here\r\n");
  (*sealer)->seal(raw, {}, "gate.example; spf=pass smtp.mailfrom=a@example.org",
                  mailauth::test::at(mailauth::test::kNow), edits);
  std::string sent;
  for (const auto piece : edits.apply(raw)) sent += piece;
  EXPECT_TRUE(sent.starts_with("ARC-Seal: ")) << sent;
  const auto chain = names_.arc(sent);
  EXPECT_EQ(chain.cv, mailauth::Result::pass) << chain.reason;
  ASSERT_EQ(chain.sealers.size(), 1U);
  EXPECT_EQ(chain.sealers[0].domain, "gate.example");
  EXPECT_NE(sent.find("ARC-Authentication-Results: i=1; gate.example; spf=pass"), std::string::npos) << sent;
  sent.replace(sent.find("[tag]"), 5, "[TAG]");
  EXPECT_EQ(names_.arc(sent).cv, mailauth::Result::fail);
}

TEST_F(SealingTest, AChainThatHasEndedIsLeftAsItIs) {
  const auto sealer = Sealer::load({.domain = "gate.example", .selector = "s", .key_file = file_.string()});
  mailauth::ArcOutcome ended;
  ended.cv = mailauth::Result::fail;
  ended.ended = true;
  mime::Edits edits;
  (*sealer)->seal("Subject: one\r\n\r\nHello\r\n", ended, "gate.example; none", {}, edits);
  EXPECT_TRUE(edits.empty());
}

TEST_F(SealingTest, SaysWhatIsMissing) {
  EXPECT_EQ(*Sealer::load({}), nullptr);
  EXPECT_FALSE(Sealer::load({.domain = "gate.example", .selector = "", .key_file = file_.string()}));
  EXPECT_FALSE(Sealer::load({.domain = "gate.example", .selector = "s", .key_file = file_.string() + ".gone"}));
  std::ofstream(file_) << "no key";
  const auto wrong = Sealer::load({.domain = "gate.example", .selector = "s", .key_file = file_.string()});
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().text().find(file_.string()), std::string::npos);
}

}  // namespace
}  // namespace doorward::gateway
