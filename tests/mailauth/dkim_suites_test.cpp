// The DKIM messages of others in tests/data/dkim, and the signed mails of the material.
#include <gtest/gtest.h>
#include <unistd.h>

#include "conformance.h"
#include "mailauth/dkim_mail.h"
#include "mailauth/dkim_sign.h"
#include "mailauth/signature_check.h"

namespace doorward::mailauth {
namespace {

using namespace test;

const fs::path kData = fs::path(TEST_DATA) / "dkim";

// The keys of RFC 6376 A.2 and of RFC 8463 A.2, and those that lie beside the messages.
void known_keys(net::test::FakeResolver& zone) {
  const std::string rfc6376 =
      "v=DKIM1; "
      "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTN"
      "h5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB";
  zone.txt("brisbane._domainkey.example.com", rfc6376);
  zone.txt("s.flags._domainkey.example.com", "t=s; " + rfc6376.substr(9));
  zone.txt("brisbane._domainkey.football.example.com",
           "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
  zone.txt("test._domainkey.football.example.com",
           "v=DKIM1; k=rsa; "
           "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JY"
           "i0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/"
           "8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w"
           "3QIDAQAB");
  zone.txt("sed._domainkey.test.ex", read_file(kData / "dkimpy/dkim/tests/data/eximtest.dns"));
  std::string gmail = read_file(kData / "mimekit/gmail.pub");
  gmail.erase(gmail.find("-----END"));
  gmail.erase(0, gmail.find('\n'));
  zone.txt("20120113._domainkey.gmail.com", "k=rsa; p=" + gmail);
}

const std::map<std::string, std::string>& expectations() {
  static const std::map<std::string, std::string> kExpected = {
#include "dkim_expected.inc"
  };
  return kExpected;
}

bool is_message(const fs::path& path) {
  const std::string content = read_file(path);
  return content.find("DKIM-Signature:") != std::string::npos && path.extension() != ".txt" &&
         path.filename() != "UPSTREAM-LICENSE" && path.extension() != ".md";
}

// Of each signature without a key at hand: whether form and body hash hold ("body") or why not.
std::string without_key(const DkimOutcome& outcome) {
  std::string all;
  for (const DkimSignature& one : outcome.signatures) {
    const bool unknown = one.result == Result::permerror && one.reason == "no key";
    all += (all.empty() ? "" : " ") + (unknown ? std::string("body") : std::string(text(one.result)));
  }
  return all.empty() ? "none" : all;
}

void run_folder(const char* folder, const std::string& name) {
  doorward::test::Conformance suite(name);
  Verifier verifier;
  known_keys(verifier.zone);
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(kData / folder)) {
    if (entry.is_regular_file() && is_message(entry.path())) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  EXPECT_FALSE(files.empty());
  for (const fs::path& file : files) {
    suite.begin();
    const std::string id = fs::relative(file, kData).string();
    const std::string raw = crlf(read_file(file));
    const DkimOutcome outcome = verifier.dkim(raw);
    const auto expected = expectations().find(id);
    const std::string got = without_key(outcome);
    EXPECT_TRUE(expected != expectations().end() && expected->second == got)
        << "{\"" << id << "\", \"" << got << "\"}, " << reasons(outcome);
  }
}

TEST(DkimSuites, DkimVerifier) { run_folder("dkim_verifier", "dkim-dkim_verifier"); }
TEST(DkimSuites, Dkimpy) { run_folder("dkimpy", "dkim-dkimpy"); }
TEST(DkimSuites, MimeKit) { run_folder("mimekit", "dkim-mimekit"); }
TEST(DkimSuites, Rspamd) { run_folder("rspamd", "dkim-rspamd"); }
TEST(DkimSuites, Postalsys) { run_folder("postalsys-mailauth", "dkim-postalsys"); }
TEST(DkimSuites, SpamAssassin) { run_folder("spamassassin", "dkim-spamassassin"); }

// The keys stand in front of the message, a line each; the clock is between all t= and x=.
TEST(DkimSuites, Stalwart) {
  doorward::test::Conformance suite("dkim-stalwart");
  for (const char* file : {"001.txt", "002.txt", "003.txt", "004.txt", "005.txt", "006.txt"}) {
    suite.begin();
    Verifier verifier;
    const std::string content = read_file(kData / "stalwart-mail-auth/dkim" / file);
    const size_t gap = content.find("\n\n");
    for (size_t from = 0; from < gap;) {
      const size_t end = content.find('\n', from), blank = content.find(' ', from);
      verifier.zone.txt(content.substr(from, blank - from), content.substr(blank + 1, end - blank - 1));
      from = end + 1;
    }
    const DkimOutcome outcome = verifier.dkim(crlf(content.substr(gap + 2)), 1'667'863'000);
    EXPECT_FALSE(outcome.signatures.empty());
    for (const DkimSignature& one : outcome.signatures)
      EXPECT_EQ(one.result, Result::pass) << file << ": " << one.reason;
  }
}

// The keys of others sign their messages, and the signatures hold.
TEST(DkimSuites, KeysOfOthersSign) {
  doorward::test::Conformance suite("dkim-postalsys-signing");
  const fs::path fixtures = kData / "postalsys-mailauth/fixtures";
  for (const char* pem : {"private-rsa.pem", "private-ed25519.pem", "../../rspamd/configs/dkim-eddsa-pem.key"}) {
    const auto key = SigningKey::read(read_file(fixtures / pem));
    ASSERT_TRUE(key) << pem;
    for (const char* message : {"message1.eml", "message2.eml", "message3.eml", "message4.eml"}) {
      suite.begin();
      const std::string raw = crlf(read_file(fixtures / message));
      SignedMail mail(raw);
      Verifier verifier;
      verifier.zone.txt("s._domainkey.sign.example", key->record());
      const std::string field = sign_dkim(mail, *key, {.domain = "sign.example", .selector = "s", .now = at(kNow)});
      const DkimOutcome outcome = verifier.dkim(field + raw);
      ASSERT_FALSE(outcome.signatures.empty());
      EXPECT_EQ(outcome.signatures.front().result, Result::pass) << outcome.signatures.front().reason;
      EXPECT_NE(verifier.dkim(field + raw + "more\r\n").signatures.front().result, Result::pass);
      EXPECT_NE(verifier.dkim(field + "Subject: another\r\n" + raw).signatures.front().result, Result::pass);
    }
  }
  EXPECT_FALSE(SigningKey::read(read_file(fixtures / "private-small.pem")));
}

TEST(DkimSuites, SignedMailsOfTheMaterial) {
  const fs::path folder = material("dkim/real-signed-gmail");
  if (folder.empty()) GTEST_SKIP();
  const fs::path scratch = fs::temp_directory_path() / ("doorward-dkim-" + std::to_string(::getpid()));
  fs::create_directories(scratch);
  const std::string unpack = "zstd -dcq --long=27 '" + (folder / "real-signed-gmail-shared.tar.zst").string() +
                             "' | tar x -C '" + scratch.string() + "'";
  ASSERT_EQ(std::system(unpack.c_str()), 0);
  doorward::test::Conformance suite("dkim-real-signed-gmail");
  Verifier verifier;
  load_zone(verifier.zone, folder / "zone.json");
  const auto others = load_table(folder / "expected-mail-dkim-shared.tsv");
  for (const auto& [file, row] : load_table(folder / "expected-dkimpy-shared.tsv")) {
    suite.begin();
    ASSERT_TRUE(fs::exists(scratch / file)) << file;
    const DkimOutcome outcome = verifier.dkim(read_file(scratch / file), std::stoll(row.at(4)));
    ASSERT_EQ(outcome.signatures.size(), 1U) << file;
    const bool passed = outcome.signatures.front().result == Result::pass;
    EXPECT_EQ(passed, row.at(2) == "pass") << file << ": " << reasons(outcome);
    EXPECT_EQ(passed, others.at(file).at(1) == "pass") << file << ": " << reasons(outcome);
  }
  fs::remove_all(scratch);
}

}  // namespace
}  // namespace doorward::mailauth
