// The public suffix list's own tests, by way of the evaluator's setting for such lists; and the labelled mails of
// SpamAssassin.
#include <gtest/gtest.h>
#include <libpsl.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/handle.h"
#include "conformance.h"
#include "delivery/core_runner.h"
#include "mailauth/dmarc.h"
#include "mime/headers.h"
#include "net/dns_answer.h"
#include "net/fake_resolver.h"

namespace doorward::mailauth {
namespace {

namespace fs = std::filesystem;
const fs::path kData = fs::path(TEST_DATA) / "dmarc";

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {(std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>()};
}

DmarcOutcome check(doorward::test::CoreRunner& runner, net::Resolver& dns, DmarcRequest request,
                   DmarcOptions options = {}) {
  options.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  DmarcOutcome outcome;
  runner.run([&]() -> Task<void> { outcome = co_await check_dmarc(runner.core(), dns, request, options); });
  return outcome;
}

// A line is a domain and the one that was registered, or "null" where it is a public suffix itself. A record at the
// registered domain must then be found for mail of the first one, and none where there is no such domain.
TEST(DmarcSuites, PublicSuffixList) {
  const Handle<psl_ctx_t, psl_free> list(psl_load_file((kData / "publicsuffix/public_suffix_list.dat").c_str()));
  ASSERT_TRUE(list.get() != nullptr);
  DmarcOptions options;
  options.organizational_domain = [&list](std::string_view domain) {
    const std::string name(domain);
    const char* registered = psl_registrable_domain(list.get(), name.c_str());
    return std::string(registered != nullptr ? registered : name);
  };
  doorward::test::CoreRunner runner;
  doorward::test::Conformance suite("dmarc-publicsuffix");
  std::ifstream lines(kData / "publicsuffix/tests.txt");
  int count = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with("//")) continue;
    std::string domain, expected;
    std::istringstream(line) >> domain >> expected;
    suite.begin();
    ++count;
    net::test::FakeResolver dns;
    const bool registered = expected != "null";
    if (registered) dns.txt("_dmarc." + net::dns_name(expected), "v=DMARC1; p=none; sp=reject");
    DmarcRequest request;
    request.authors = {domain};
    const DmarcOutcome outcome = check(runner, dns, request, options);
    EXPECT_EQ(outcome.result, registered ? Result::fail : Result::none) << line;
    EXPECT_EQ(outcome.policy_domain, registered ? net::dns_name(expected) : "") << line;
    // The name itself has the record: nobody needs to know whose it is.
    const std::string organization = net::dns_name(domain) == net::dns_name(expected) ? "" : net::dns_name(expected);
    if (registered) EXPECT_EQ(outcome.organizational_domain, organization) << line;
  }
  EXPECT_GT(count, 70);
}

std::string domain_of(std::string_view address) {
  const size_t at = address.rfind('@');
  const size_t end = address.find_first_of("> \r\n", at);
  return at == std::string_view::npos ? "" : std::string(address.substr(at + 1, end - at - 1));
}

// Their zones, as their test describes them: dmarc1 none, dmarc2 quarantine, dmarc3 reject, dmarc4 reject and strict.
// The keys are not at hand: a mail labelled "ok" has a signature of its d= that verifies, one labelled "ko" has none.
TEST(DmarcSuites, SpamAssassin) {
  net::test::FakeResolver dns;
  dns.txt("_dmarc.dmarc1.spamassassin.org", "v=DMARC1; p=none; pct=100");
  dns.txt("_dmarc.dmarc2.spamassassin.org", "v=DMARC1; p=quarantine; pct=100");
  dns.txt("_dmarc.dmarc3.spamassassin.org", "v=DMARC1; p=reject; pct=100");
  dns.txt("_dmarc.dmarc4.spamassassin.org", "v=DMARC1; p=reject; adkim=s; aspf=s; pct=100");
  const std::pair<std::string_view, DmarcPolicy> labels[] = {{"none", DmarcPolicy::none},
                                                             {"quar", DmarcPolicy::quarantine},
                                                             {"reject", DmarcPolicy::reject},
                                                             {"strictreject", DmarcPolicy::reject}};
  doorward::test::CoreRunner runner;
  doorward::test::Conformance suite("dmarc-spamassassin");
  int count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kData / "spamassassin")) {
    if (entry.path().extension() != ".eml") continue;
    suite.begin();
    ++count;
    const std::string raw = read_file(entry.path());
    const std::string label = entry.path().stem();
    mime::Oddities oddities;
    const mime::HeaderSection header = mime::scan_headers(raw, 0, {}, false, 0, oddities);
    DmarcRequest request;
    for (const auto& field : header.fields) {
      if (field.name == "From") request.authors = {domain_of(field.value)};
      if (field.name == "Return-Path") request.spf_domain = domain_of(field.value);
      if (field.name != "DKIM-Signature") continue;
      const std::string value(field.value);
      const size_t start = value.find_first_not_of(" \t\r\n", value.find("d=") + 2);
      request.signatures.push_back(
          {label.ends_with("ok") ? Result::pass : Result::fail, value.substr(start, value.find(';', start) - start)});
    }
    request.spf = Result::fail;
    const DmarcOutcome outcome = check(runner, dns, request);
    if (label == "nodmarc") {
      EXPECT_EQ(outcome.result, Result::none) << label;
      continue;
    }
    EXPECT_EQ(outcome.result, label.ends_with("ok") ? Result::pass : Result::fail) << label << ": " << outcome.evidence;
    const auto* known = std::ranges::find(labels, std::string_view(label).substr(0, label.size() - 2),
                                          &std::pair<std::string_view, DmarcPolicy>::first);
    ASSERT_NE(known, std::end(labels)) << label;
    EXPECT_EQ(outcome.record->policy, known->second) << label;
    if (outcome.result == Result::fail) EXPECT_EQ(outcome.policy, known->second) << label;
  }
  EXPECT_EQ(count, 9);
}

}  // namespace
}  // namespace doorward::mailauth
