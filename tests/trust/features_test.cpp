#include "trust/features.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "trust/made_mail.h"

namespace doorward::trust {
namespace {

Features of(std::string_view raw) { return features_of(mime::Message::parse(raw)); }

size_t shared(const Features& a, const Features& b) {
  const std::set<uint64_t> first(a.hashes.begin(), a.hashes.end());
  return static_cast<size_t>(
      std::count_if(b.hashes.begin(), b.hashes.end(), [&](uint64_t hash) { return first.contains(hash); }));
}

TEST(Features, AreDistinctAndTheSameEveryTime) {
  const auto features = made_features(Label::spam, 1);
  EXPECT_GT(features.hashes.size(), 100u);
  EXPECT_EQ(std::set<uint64_t>(features.hashes.begin(), features.hashes.end()).size(), features.hashes.size());
  EXPECT_EQ(features.hashes, made_features(Label::spam, 1).hashes);
}

TEST(Features, AreBoundedWhateverTheMail) {
  std::string raw = "Subject: long\r\n\r\n";
  for (int word = 0; word < 200'000; ++word) raw += fmt::format("w{} ", word * 7919);
  EXPECT_LE(of(raw).hashes.size(), kMostFeatures);
  std::string fields;
  for (int field = 0; field < 3000; ++field) fields += fmt::format("X-F{}: v{} w{}\r\n", field, field * 3, field * 5);
  EXPECT_LE(of(fields + "\r\n").hashes.size(), kMostFeatures);
  EXPECT_LE(of("").hashes.size(), 100u);
}

TEST(Features, SeeTheDecodedText) {
  const auto plain = of("MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\ncheap pills from the casino\r\n");
  const auto encoded =
      of("MIME-Version: 1.0\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
         "Y2hlYXAgcGlsbHMgZnJvbSB0aGUgY2FzaW5v\r\n");
  const auto other = of("MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nquarterly minutes of our board\r\n");
  EXPECT_GT(shared(plain, encoded), shared(plain, other) + 20);
}

TEST(Features, LeaveOutWhatOtherFiltersClaimed) {
  const auto without = of("Subject: a\r\n\r\nhello\r\n");
  const auto with = of("X-Spam-Status: No, score=-5.0\r\nSubject: a\r\n\r\nhello\r\n");
  EXPECT_GE(shared(without, with) + 1, without.hashes.size());  // but for the size of the mail
  EXPECT_LE(with.hashes.size(), without.hashes.size() + 1);
}

TEST(Features, TellFieldsApartFromText) {
  const auto in_subject = of("Subject: lottery\r\n\r\nhello\r\n");
  const auto in_text = of("Subject: hello\r\n\r\nlottery\r\n");
  EXPECT_LT(shared(in_subject, in_text), in_subject.hashes.size());
}

TEST(Features, FamiliesPartHeaderFromText) {
  const auto one = of("From: a@example.org\r\nSubject: hello\r\n\r\nThe lottery prize is yours today\r\n");
  const auto other = of("From: a@example.org\r\nSubject: hello\r\n\r\nWhat our board wants to hear\r\n");
  size_t all = 0;
  for (size_t which = 0; which < Features::kFamilies; ++which) {
    EXPECT_FALSE(one.family(which).empty()) << which;
    all += one.family(which).size();
  }
  EXPECT_EQ(all, one.hashes.size());
  EXPECT_TRUE(std::ranges::equal(one.family(2), other.family(2)));   // runs of octets of the header
  EXPECT_FALSE(std::ranges::equal(one.family(1), other.family(1)));  // words of the text
  EXPECT_FALSE(std::ranges::equal(one.family(3), other.family(3)));  // runs of octets of the text
  for (size_t which = 0; which < Features::kFamilies; ++which) EXPECT_TRUE(Features{}.family(which).empty());
}

TEST(Features, NamedOnesAreAmongThem) {
  const std::string raw = "Subject: Big WINNER today\r\n\r\nClaim your lottery prize http://win.example/now\r\n";
  const auto message = mime::Message::parse(raw);
  const auto features = features_of(message);
  const std::set<uint64_t> all(features.hashes.begin(), features.hashes.end());
  std::set<std::string> names;
  for_each_named_feature(message, [&](const NamedFeature& named) {
    EXPECT_TRUE(all.contains(named.hash)) << named.text();
    names.insert(named.text());
  });
  EXPECT_TRUE(names.contains("subject:WINNER"));
  EXPECT_TRUE(names.contains("lottery prize"));
  EXPECT_TRUE(names.contains("Claim"));
}

}  // namespace
}  // namespace doorward::trust
