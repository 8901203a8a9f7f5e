// Every case of the ARC suites in tests/data/arc, and the sealed mails of the material.
#include <gtest/gtest.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include "conformance.h"
#include "mail/ascii.h"
#include "mailauth/arc_seal.h"
#include "mailauth/authentication_results.h"
#include "mailauth/dkim_mail.h"
#include "mailauth/tag_list.h"

namespace doorward::mailauth {
namespace {

using namespace test;

const fs::path kData = fs::path(TEST_DATA) / "arc";

void load_records(Verifier& verifier, const YAML::Node& scenario) {
  for (const char* key : {"txt-records", "txt_records"}) {
    for (const auto& record : scenario[key]) {
      verifier.zone.txt(record.first.as<std::string>(), record.second.as<std::string>());
    }
  }
}

// "" stands in the suites for a chain that an earlier hop sealed as failed. RFC 8617 §5.2 step 2: "If the Chain
// Validation Status of the highest instance value ARC Set is 'fail', then the Chain Validation Status is 'fail'".
std::string expected_cv(const YAML::Node& one) {
  const std::string cv(mail::lowered(one["cv"].IsNull() ? "" : one["cv"].as<std::string>()));
  return cv.empty() ? "fail" : cv;
}

void validate(const fs::path& file, const std::string& name) {
  doorward::test::Conformance suite(name);
  for (const YAML::Node& scenario : YAML::LoadAllFromFile(file)) {
    if (!scenario.IsMap() || !scenario["tests"]) continue;
    Verifier verifier;
    load_records(verifier, scenario);
    for (const auto& entry : scenario["tests"]) {
      suite.begin();
      const auto message = entry.second["message"].IsNull() ? "" : entry.second["message"].as<std::string>();
      const ArcOutcome outcome = verifier.arc(crlf(message));
      EXPECT_EQ(text(outcome.cv), expected_cv(entry.second))
          << name << "/" << entry.first.as<std::string>() << ": " << outcome.reason;
      EXPECT_EQ(outcome.reason.empty(), outcome.cv != Result::fail);
    }
  }
}

// The field's value as relaxed canonicalisation has it: what is compared, since folds are free.
std::string flat(std::string_view value) {
  std::string out;
  append_field(out, Canonical::relaxed, "x:" + std::string(value));
  return out.substr(2, out.size() - 4);
}
// Without any white space: b= is wrapped in the suites.
std::string dense(std::string_view value) {
  std::string out = flat(value);
  std::erase(out, ' ');
  return out;
}

void sign_case(Verifier& verifier, const SigningKey& key, const YAML::Node& scenario, const YAML::Node& one,
               const std::string& name) {
  const std::string raw = crlf(one["message"].as<std::string>());
  SignedMail mail(raw);
  const ArcOutcome seen = verifier.arc(raw);
  ArcSealing sealing;
  sealing.domain = scenario["domain"].as<std::string>();
  sealing.selector = scenario["sel"].as<std::string>();
  sealing.results = merged_authentication_results(mail.fields(), one["srv-id"].as<std::string>());
  sealing.now = at(one["t"].as<long long>());
  sealing.folded = false;
  for (const std::string_view field : colon_list(one["sig-headers"].as<std::string>())) {
    sealing.names.emplace_back(field);
  }
  const auto sealed = seal_arc(mail, seen, key, sealing);
  const auto wanted = [&](const char* field) {
    return one[field].IsNull() ? std::string() : crlf(one[field].as<std::string>());
  };
  if (wanted("AS").empty()) {
    EXPECT_FALSE(sealed) << name;
    return;
  }
  ASSERT_TRUE(sealed) << name << ": " << sealed.error().text();
  const std::string whole = *sealed + raw;
  const SignedMail result(whole);
  ASSERT_GE(result.fields().size(), 3U);
  EXPECT_EQ(dense(result.fields()[0].value), dense(wanted("AS"))) << name;
  EXPECT_EQ(dense(result.fields()[1].value), dense(wanted("AMS"))) << name;
  EXPECT_EQ(dense(result.fields()[2].value), dense(wanted("AAR"))) << name;
}

void sign(const fs::path& file, const std::string& name) {
  doorward::test::Conformance suite(name);
  for (const YAML::Node& scenario : YAML::LoadAllFromFile(file)) {
    if (!scenario.IsMap() || !scenario["tests"]) continue;
    Verifier verifier;
    load_records(verifier, scenario);
    const auto key = SigningKey::read(scenario["privatekey"].as<std::string>());
    ASSERT_TRUE(key) << key.error().text();
    for (const auto& entry : scenario["tests"]) {
      suite.begin();
      sign_case(verifier, *key, scenario, entry.second, name + "/" + entry.first.as<std::string>());
    }
  }
}

TEST(ArcSuites, ValimailValidation) {
  validate(kData / "valimail/tests/arc-draft-validation-tests.yml", "arc-valimail-validation");
}
TEST(ArcSuites, PostalsysValidation) {
  validate(kData / "postalsys-mailauth/arc-draft-validation-tests.yml", "arc-postalsys-validation");
}
TEST(ArcSuites, ValimailSigning) { sign(kData / "valimail/tests/arc-draft-sign-tests.yml", "arc-valimail-signing"); }
TEST(ArcSuites, PostalsysSigning) {
  sign(kData / "postalsys-mailauth/arc-draft-sign-tests.yml", "arc-postalsys-signing");
}

// The keys stand in front of the message, a line each.
TEST(ArcSuites, Stalwart) {
  doorward::test::Conformance suite("arc-stalwart");
  for (const char* file : {"001.txt", "002.txt"}) {
    suite.begin();
    Verifier verifier;
    std::string content = read_file(kData / "stalwart-mail-auth" / file);
    const size_t gap = content.find("\n\n");
    for (size_t from = 0; from < gap;) {
      const size_t end = content.find('\n', from), blank = content.find(' ', from);
      verifier.zone.txt(content.substr(from, blank - from), content.substr(blank + 1, end - blank - 1));
      from = end + 1;
    }
    const ArcOutcome outcome = verifier.arc(crlf(content.substr(gap + 2)));
    EXPECT_EQ(outcome.cv, Result::pass) << file << ": " << outcome.reason;
  }
}

// Their key lived in the DNS of the time: the form and the body hash are checked.
TEST(ArcSuites, SpamAssassin) {
  doorward::test::Conformance suite("arc-spamassassin");
  suite.begin();
  Verifier verifier;
  const ArcOutcome outcome = verifier.arc(crlf(read_file(kData / "spamassassin/ok01.eml")));
  EXPECT_EQ(outcome.instances, 1U);
  EXPECT_EQ(outcome.reason, "ARC-Message-Signature of i=1: no key");
  suite.begin();
  EXPECT_EQ(verifier.arc(crlf(read_file(kData / "spamassassin/ko01.eml"))).cv, Result::none);
}

TEST(ArcSuites, SealedMailsOfTheMaterial) {
  const fs::path folder = material("arc/real-sealed");
  if (folder.empty()) GTEST_SKIP();
  const fs::path scratch = fs::temp_directory_path() / ("doorward-arc-" + std::to_string(::getpid()));
  fs::create_directories(scratch);
  const std::string unpack = "zstd -dcq --long=27 '" + (folder / "real-sealed-shared.tar.zst").string() +
                             "' | tar x -C '" + scratch.string() + "'";
  ASSERT_EQ(std::system(unpack.c_str()), 0);
  doorward::test::Conformance suite("arc-real-sealed");
  Verifier verifier;
  load_zone(verifier.zone, folder / "zone.json");
  const auto others = load_table(folder / "expected-mail-dkim-shared.tsv");
  for (const auto& [file, row] : load_table(folder / "expected-dkimpy-shared.tsv")) {
    suite.begin();
    const fs::path path = scratch / file;
    ASSERT_TRUE(fs::exists(path)) << file;
    const ArcOutcome outcome = verifier.arc(read_file(path), std::stoll(row.at(5)));
    EXPECT_EQ(text(outcome.cv), row.at(3)) << file << ": " << outcome.reason;
    EXPECT_EQ(text(outcome.cv), others.at(file).at(1)) << file << ": " << outcome.reason;
    EXPECT_EQ(outcome.instances, std::stoul(row.at(1))) << file;
  }
  fs::remove_all(scratch);
}

}  // namespace
}  // namespace doorward::mailauth
