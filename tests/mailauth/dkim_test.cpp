#include "mailauth/dkim.h"

#include <gtest/gtest.h>

#include "mailauth/dkim_mail.h"
#include "mailauth/dkim_sign.h"
#include "mailauth/made_signature.h"
#include "mailauth/signature_check.h"
#include "mailauth/tag_list.h"

namespace doorward::mailauth {
namespace {

using namespace test;

// The key pair of RFC 8463 A.2.
const char kSecret[] = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
const char kRecord[] = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const char kMail[] =
    "From: a@example.org\r\nTo: b@example.net\r\nSubject: one\r\nReceived: x\r\n\r\nHello  you\r\n\r\n";

std::string sign(std::string_view raw, Tags tags, std::string h = "from:to", std::string body_hash = {}) {
  return sign_with(SigningKey::read(kSecret).value(), raw, std::move(tags), std::move(h), std::move(body_hash));
}

class Dkim : public testing::Test {
 protected:
  Dkim() { verifier.zone.txt("ed._domainkey.example.org", kRecord); }
  DkimSignature check(const std::string& raw, long long now = kNow) {
    const DkimOutcome outcome = verifier.dkim(raw, now);
    EXPECT_FALSE(outcome.signatures.empty());
    return outcome.signatures.empty() ? DkimSignature() : outcome.signatures.front();
  }
  void expect(const std::string& raw, Result result, std::string_view reason) {
    const DkimSignature one = check(raw);
    EXPECT_EQ(text(one.result), text(result)) << one.reason;
    EXPECT_EQ(one.reason, reason);
  }
  void record(const std::string& content) { verifier.zone.txt("other._domainkey.example.org", content); }
  std::string with_other() { return sign(kMail, {{"s", "other"}}); }
  Verifier verifier;
};

TEST_F(Dkim, PassTellsWhoAndHow) {
  const DkimSignature one = check(sign(kMail, {{"t", "1789999000"}, {"x", "1799999000"}, {"i", "me@sub.example.org"}}));
  EXPECT_EQ(one.result, Result::pass) << one.reason;
  EXPECT_EQ(one.domain, "example.org");
  EXPECT_EQ(one.selector, "ed");
  EXPECT_EQ(one.identity, "me@sub.example.org");
  EXPECT_EQ(one.algorithm, "ed25519-sha256");
  EXPECT_EQ(one.key_bits, 256U);
  EXPECT_EQ(one.value_begin.size(), 8U);
  EXPECT_EQ(one.time, 1789999000U);
  EXPECT_EQ(one.names, (std::vector<std::string>{"from", "to"}));
  EXPECT_FALSE(one.testing);
  EXPECT_EQ(check(sign(kMail, {})).identity, "@example.org");
  EXPECT_TRUE(verifier.dkim(kMail).signatures.empty());
  EXPECT_EQ(verifier.dkim(kMail).best(), Result::none);
}

TEST_F(Dkim, SyntaxAndTags) {
  expect(sign(kMail, {{"v", "2"}}), Result::permerror, "unknown version");
  expect(sign(kMail, {{"v", "-"}}), Result::permerror, "v= is missing");
  expect(sign(kMail, {{"d", "-"}}), Result::permerror, "d= is missing");
  expect(sign(kMail, {{"d", "a..b"}}), Result::permerror, "d= is no domain name");
  expect(sign(kMail, {{"s", ""}}), Result::permerror, "s= is no domain name");
  expect(sign(kMail, {{"a", "rsa-sha1"}}), Result::permerror, "rsa-sha1 is not accepted any more");
  expect(sign(kMail, {{"a", "rsa-sha512"}}), Result::neutral, "unknown algorithm");
  expect(sign(kMail, {{"c", "nowsp"}}), Result::neutral, "unknown canonicalisation");
  expect(sign(kMail, {{"q", "http"}}), Result::neutral, "no known query method");
  expect(sign(kMail, {{"q", "x : dns/txt"}}), Result::pass, "");
  expect(sign(kMail, {{"i", "a@other.example"}}), Result::permerror, "i= is not within d=");
  expect(sign(kMail, {{"i", "a@notexample.org"}}), Result::permerror, "i= is not within d=");
  expect(sign(kMail, {{"i", "nobody"}}), Result::permerror, "i= is no address");
  expect(sign(kMail, {{"l", "x"}}), Result::neutral, "l= is no number");
  expect(sign(kMail, {{"t", "soon"}}), Result::neutral, "t= is no time");
  expect(sign(kMail, {{"t", "9999999999999999"}}), Result::neutral, "t= is no time");
  expect(sign(kMail, {{"unknown", "x"}}), Result::pass, "");
  expect(sign(kMail, {}, "to:subject"), Result::permerror, "From is not signed");
  expect("DKIM-Signature: v=1; v=1\r\n" + std::string(kMail), Result::neutral, "malformed: a tag stands there twice");
}

TEST_F(Dkim, Clock) {
  expect(sign(kMail, {{"t", "1000"}, {"x", "2000"}}), Result::policy, "expired");
  expect(sign(kMail, {{"t", "2000"}, {"x", "2000"}}), Result::permerror, "x= is not after t=");
  expect(sign(kMail, {{"t", std::to_string(kNow + 7200)}}), Result::policy, "signed in the future");
  expect(sign(kMail, {{"t", std::to_string(kNow + 60)}}), Result::pass, "");
  expect(sign(kMail, {{"x", std::to_string(kNow - 60)}}), Result::pass, "");
}

TEST_F(Dkim, LengthLeavesOctetsUnsigned) {
  const std::string hash = base64_text(hash_body("Hello you\r\n", Canonical::relaxed, 5).hash);
  const DkimSignature one = check(sign(kMail, {{"l", "5"}}, "from", hash));
  EXPECT_EQ(one.result, Result::pass) << one.reason;
  EXPECT_EQ(one.length, 5U);
  EXPECT_EQ(one.unsigned_octets, 6U);
  const DkimSignature more = check(sign(kMail, {{"l", "5"}}, "from", hash) + "appended\r\n");
  EXPECT_EQ(more.result, Result::pass);
  EXPECT_EQ(more.unsigned_octets, 18U);
  expect(sign(kMail, {{"l", "12"}}), Result::fail, "l= is more than the body has");
  expect(sign(kMail, {{"l", "11"}}), Result::pass, "");
}

TEST_F(Dkim, JunkWithManyLengthsLeavesTheTrueSignatureItsHash) {
  std::string mail = sign(kMail, {});
  for (int junk = 0; junk < 9; ++junk) {
    mail = "DKIM-Signature: v=1; a=ed25519-sha256; c=simple/simple; d=junk.example; s=x; h=from; l=" +
           std::to_string(junk) + "; bh=AAAA; b=AAAA\r\n" + mail;
  }
  const DkimOutcome outcome = verifier.dkim(mail, kNow);
  ASSERT_EQ(outcome.signatures.size(), 10U);
  EXPECT_EQ(outcome.signatures.back().result, Result::pass) << outcome.signatures.back().reason;
}

TEST_F(Dkim, FieldsAreTakenFromTheBottom) {
  const std::string once = sign(kMail, {}, "from:subject");
  const size_t gap = once.find("\r\nFrom");
  // A second Subject above the signed one is not looked at; one below it is.
  EXPECT_EQ(check("Subject: two\r\n" + once).result, Result::pass);
  std::string below = once;
  below.insert(below.find("Received:"), "Subject: two\r\n");
  expect(below, Result::fail, "the signature does not fit");
  // Oversigned: none can be added.
  const std::string twice = sign(kMail, {}, "from:subject:subject");
  EXPECT_EQ(check(twice).result, Result::pass);
  expect("Subject: two\r\n" + twice, Result::fail, "the signature does not fit");
  ASSERT_NE(gap, std::string::npos);
}

TEST_F(Dkim, ChangedMailFails) {
  expect(sign(kMail, {}) + "x\r\n", Result::fail, "the body was changed");
  std::string other = sign(kMail, {});
  other.replace(other.find("b@example.net"), 1, "c");
  expect(other, Result::fail, "the signature does not fit");
  EXPECT_EQ(check(sign(kMail, {}) + "\r\n\r\n").result, Result::pass);
}

TEST_F(Dkim, KeyRecords) {
  const std::string key = "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
  expect(with_other(), Result::permerror, "no key");
  const std::vector<std::pair<std::string, std::string>> kRefused{
      {"k=ed25519; p=", "the key is revoked"},
      {"k=ed25519", "the key record has no key"},
      {"k=ed25519; v=DKIM1; " + key, "the key record is no DKIM1"},
      {"v=DKIM2; k=ed25519; " + key, "the key record is no DKIM1"},
      {"k=ed2014; " + key, "the key is of an unknown type"},
      {"k=ed25519; h=sha1; " + key, "the key is not for SHA-256"},
      {"k=ed25519; s=tlsrpt; " + key, "the key is not for mail"},
      {"k=ed25519; p=#", "the key is not Base64"},
      {"k=ed25519; p=AAAA", "an Ed25519 key has 32 octets"},
      {"p=AAAA", "the key cannot be read"},
      {"k=ed25519; k=ed25519; " + key, "the key record is malformed"},
      {"v=spf1 -all", "the key record is no DKIM1"},
      {"k=ed25519; p=" + std::string(6000, 'A'), "the key is too long"},
      // 1024 bits, of which each verification would take as long as some hundred ordinary ones.
      {"p=MIGgAoGBANBcajmv2j363krplX/ARgLewgveR9c8LL6BP3XwDPwI9Yy9IUaba1ffq5Xk9Rr7dbdg2iWEBkSrlDvBBH"
       "8eF6dGlsGt6Bqr5YHrQd/Mm4CL9jA3Hx8IydBRgHyjEdPKkakjZ9wTg7tY8s8brXC/H0WRuLrX3Up2bvGPtzaULBIj"
       "AhoA0gnsONw7qdVkfQwx/kXH/AXG+Hw5Rw3/qQ==",
       "the key's exponent is too long"}};
  int number = 0;
  for (const auto& [content, reason] : kRefused) {
    const std::string selector = "r" + std::to_string(number++);
    verifier.zone.txt(selector + "._domainkey.example.org", content);
    expect(sign(kMail, {{"s", selector}}), Result::permerror, reason);
  }
  for (const std::string& content : {"k=ed25519; h=sha1:sha256; s=other:email; n=note; new=tag; " + key,
                                     "v=DKIM1;k=ed25519;s=*;" + key + ";", "k=ed25519; t=x; g=*; " + key}) {
    const std::string selector = "a" + std::to_string(number++);
    verifier.zone.txt(selector + "._domainkey.example.org", content);
    expect(sign(kMail, {{"s", selector}}), Result::pass, "");
  }
}

TEST_F(Dkim, FlagsOfTheKey) {
  record("v=DKIM1; k=ed25519; t=y : s; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
  const DkimSignature one = check(with_other());
  EXPECT_EQ(one.result, Result::pass) << one.reason;
  EXPECT_TRUE(one.testing);
  expect(sign(kMail, {{"s", "other"}, {"i", "a@sub.example.org"}}), Result::permerror,
         "the key is for i= in d= itself");
  expect(sign(kMail, {{"s", "other"}, {"i", "a@EXAMPLE.org"}}), Result::pass, "");
}

TEST_F(Dkim, SeveralRecordsAreTried) {
  record("v=spf1 -all");
  record("v=DKIM1; k=ed25519; p=");
  record("v=DKIM1; k=ed25519; p=yi50DjK5O9pqbFpNHklsv9lqaS0ArSYu02qp1S0DW1Y=");
  record(kRecord);
  expect(with_other(), Result::pass, "");
}

TEST_F(Dkim, NameServersInTrouble) {
  for (const auto status : {net::DnsStatus::servfail, net::DnsStatus::timeout, net::DnsStatus::bogus}) {
    verifier.zone.status("other._domainkey.example.org", net::DnsType::txt, status);
    const DkimSignature one = check(with_other());
    EXPECT_EQ(one.result, Result::temperror);
    EXPECT_NE(one.reason.find(net::text(status)), std::string::npos);
  }
}

TEST_F(Dkim, ManySignaturesAreBounded) {
  std::string raw(kMail);
  for (int i = 0; i < 15; ++i) raw = sign(kMail, {}).substr(0, sign(kMail, {}).find("From:")) + raw;
  const std::string junk = "DKIM-Signature: v=1; a=rsa-sha256; d=junk.example\r\n";
  for (int i = 0; i < 5; ++i) raw = junk + raw;
  const DkimOutcome outcome = verifier.dkim(raw);
  ASSERT_EQ(outcome.signatures.size(), 20U);
  EXPECT_EQ(std::ranges::count(outcome.signatures, Result::pass, &DkimSignature::result), 10);
  EXPECT_EQ(outcome.signatures.back().reason, "too many signatures");
  EXPECT_TRUE(outcome.passed());
  EXPECT_EQ(outcome.best(), Result::pass);
  EXPECT_EQ(verifier.zone.asked(), 1U);
}

TEST_F(Dkim, HeaderBeyondTheLimitsSaysNothing) {
  std::string raw = sign(kMail, {});
  std::string more;
  for (int i = 0; i < 1100; ++i) more += "X: y\r\n";
  raw.insert(raw.find("Received:"), more);
  expect(raw, Result::permerror, "the mail's header section is too long");
}

TEST_F(Dkim, ShortRsaKeysAreRefused) {
  // A key of 512 bits.
  const auto key = read_key(
      "p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALyIYvMeVBSSMjfdGxGNV+"
      "S3KBqMTKMSwZ6zbAPpTpbVPJ2mRKAaZGtVJkk0yBRZlGSuVFXcmQ6E3pmO"
      "HIPLlqUCAwEAAQ==");
  ASSERT_TRUE(key) << key.error();
  EXPECT_EQ(key->key.bits(), 512U);
  Signature signature;
  signature.value = std::string(64, 'x');
  FoundKeys found;
  found.keys.push_back(*key);
  const Checked checked = check_value(signature, std::string(32, 'h'), found, true);
  EXPECT_EQ(checked.result, Result::policy);
  EXPECT_EQ(checked.reason, "the key is too short");
}

TEST_F(Dkim, OursHoldsAndIsOversigned) {
  const auto key = SigningKey::read(kSecret).value();
  EXPECT_EQ(key.record(), kRecord);
  SignedMail mail{std::string_view(kMail)};
  const std::string field = sign_dkim(mail, key,
                                      {.domain = "example.org",
                                       .selector = "ed",
                                       .identity = "@example.org",
                                       .now = at(kNow),
                                       .lifetime = std::chrono::hours(24)});
  for (size_t from = 0; from < field.size();) {
    const size_t end = field.find("\r\n", from);
    EXPECT_LE(end - from, 78U) << field;
    from = end + 2;
  }
  EXPECT_EQ(check(field + kMail).result, Result::pass) << field;
  for (const char* added : {"From: x@example.org\r\n", "Subject: x\r\n", "To: x\r\n", "Cc: x\r\n", "Reply-To: x\r\n",
                            "Content-Type: text/html\r\n"}) {
    EXPECT_EQ(check(field + added + kMail).result, Result::fail) << added;
  }
  EXPECT_EQ(check(field + "X-Other: x\r\n" + kMail).result, Result::pass);
  EXPECT_EQ(check(field + kMail, kNow + 100'000).reason, "expired");
}

TEST(PublicKeys, CacheKeepsWhatWasUsedLast) {
  PublicKeyCache cache(2);
  const auto record = [](char c) { return std::string("k=ed25519; p=") + c + std::string(42, 'A') + "="; };
  EXPECT_TRUE(cache.read(record('A')));
  EXPECT_TRUE(cache.read(record('B')));
  EXPECT_TRUE(cache.read(record('A')));
  EXPECT_TRUE(cache.read(record('C')));
  EXPECT_TRUE(cache.read(record('A')));
  EXPECT_FALSE(cache.read("p="));
  EXPECT_EQ(cache.size(), 2U);
}

}  // namespace
}  // namespace doorward::mailauth
