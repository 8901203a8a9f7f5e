#include "report/readers.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "report/compression.h"
#include "report/dmarc_xml.h"

namespace doorward::report {
namespace {

const std::string kXml = R"(<?xml version="1.0"?>
<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0"><report_metadata><org_name>B &amp; Co</org_name>
<email>d@b.example</email><report_id>1</report_id><date_range><begin>1000</begin><end>1999.0</end></date_range>
</report_metadata><policy_published><domain>Example.ORG</domain><p>reject</p><testing>y</testing></policy_published>
<record><row><source_ip>192.0.2.1</source_ip><count> 12 </count><policy_evaluated><disposition>None</disposition>
<dkim>Pass</dkim><spf>fail</spf><reason><type>other</type><comment>c</comment></reason></policy_evaluated></row>
<identifiers><header_from>example.org</header_from></identifiers><auth_results><dkim><domain>a.example</domain>
<selector>s</selector><result>fail</result></dkim><spf><domain>example.org</domain><result>softfail</result></spf>
</auth_results></record><record><row><count>zero</count></row></record></feedback>)";

const std::string kJson = R"({"organization-name":"B","contact-info":"t@b.example","report-id":"7","date-range":{
"start-datetime":"2016-04-01T00:00:00Z","end-datetime":"2016-04-01T23:59:59Z"},"policies":[{"policy":{
"policy-type":"STS","policy-domain":"Example.org"},"summary":{"total-successful-session-count":5,
"total-failure-session-count":3},"failure-details":[{"result-type":"certificate-expired","sending-mta-ip":"192.0.2.1",
"receiving-mx-hostname":"mx.example.org","failed-session-count":3}]}]})";

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(ReadDmarc, TakesAReportApart) {
  const auto report = read_dmarc(kXml);
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->organization, "B & Co");
  EXPECT_EQ(report->begin, 1000);
  EXPECT_EQ(report->end, 1999);
  EXPECT_EQ(report->published.domain, "example.org");
  EXPECT_TRUE(report->published.testing);
  ASSERT_EQ(report->rows.size(), 1);  // one without a number says nothing
  const DmarcRecordRow& row = report->rows[0];
  EXPECT_EQ(row.count, 12);
  EXPECT_EQ(row.disposition, "none");
  EXPECT_TRUE(row.dkim);
  EXPECT_FALSE(row.spf);
  ASSERT_EQ(row.reasons.size(), 1);
  EXPECT_EQ(row.reasons[0].comment, "c");
  ASSERT_EQ(row.signatures.size(), 1);
  EXPECT_EQ(row.signatures[0].selector, "s");
  EXPECT_EQ(row.spf_result, "softfail");
}

TEST(ReadDmarc, ASchemaAroundItIsNoHarm) {
  const size_t root = kXml.find("<feedback");
  const std::string wrapped = kXml.substr(0, root) + "<xs:schema xmlns:xs=\"x\">" + kXml.substr(root);
  EXPECT_TRUE(read_dmarc(wrapped + "</xs:schema>"));
  EXPECT_TRUE(read_dmarc(wrapped));  // as it was seen
  EXPECT_FALSE(read_dmarc(wrapped.substr(0, wrapped.size() - 30)));
}

TEST(ReadDmarc, ReadsWhatWeWrite) {
  auto report = *read_dmarc(kXml);
  report.organization = "<&>\xC3\xA9";
  const auto again = read_dmarc(to_xml(report));
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(to_xml(*again), to_xml(report));
}

TEST(ReadDmarc, EntitiesAreRefused) {
  for (const char* type : {R"(<!DOCTYPE f [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>)",
                           R"(<!DOCTYPE f SYSTEM "file:///etc/passwd">)", "<!DOCTYPE feedback>"}) {
    const auto refused = read_dmarc(replaced(kXml, "<feedback", std::string(type) + "<feedback"));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().what.find("document type"), std::string::npos) << refused.error().what;
  }
  EXPECT_FALSE(read_dmarc(replaced(kXml, "B &amp; Co", "&undefined;")));
}

TEST(ReadDmarc, WhatIsNoReportIsAnError) {
  EXPECT_FALSE(read_dmarc(""));
  EXPECT_FALSE(read_dmarc("<html><body/></html>"));
  EXPECT_FALSE(read_dmarc(kXml.substr(0, kXml.size() / 2)));
  EXPECT_FALSE(read_dmarc(replaced(kXml, "<domain>Example.ORG</domain>", "")));
  EXPECT_FALSE(read_dmarc(replaced(kXml, "<report_id>1</report_id>", "")));
  EXPECT_FALSE(read_dmarc(replaced(kXml, "<begin>1000</begin>", "<begin>2000</begin>")));
  EXPECT_FALSE(read_dmarc(replaced(kXml, "<end>1999.0</end>", "<end>99999999999999</end>")));
}

TEST(ReadDmarc, IsBounded) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<x>";
  EXPECT_FALSE(read_dmarc(replaced(kXml, "<record>", "<record>" + deep)));
  std::string many;
  for (size_t i = 0; i < kMostRecords; ++i) many += "<record/>";
  EXPECT_FALSE(read_dmarc(replaced(kXml, "<record>", many + "<record>")));
  EXPECT_FALSE(read_dmarc(std::string(kMostDocument + 1, ' ')));
  std::string text;
  while (text.size() < 2 * kMostText) text += "\xC3\xA9";
  const auto cut = read_dmarc(replaced(kXml, "B &amp; Co", text));
  ASSERT_TRUE(cut);
  EXPECT_LE(cut->organization.size(), kMostText);
  EXPECT_GE(cut->organization.size(), kMostText - 4);
}

TEST(ReadTls, TakesAReportApart) {
  const auto report = read_tls(kJson);
  ASSERT_TRUE(report) << report.error().text();
  EXPECT_EQ(report->organization, "B");
  EXPECT_EQ(report->begin, 1'459'468'800);
  EXPECT_EQ(report->end, 1'459'555'199);
  ASSERT_EQ(report->policies.size(), 1);
  const TlsPolicy& policy = report->policies[0];
  EXPECT_EQ(policy.type, "sts");
  EXPECT_EQ(policy.domain, "example.org");
  EXPECT_EQ(policy.successes, 5);
  EXPECT_EQ(policy.failures, 3);
  ASSERT_EQ(policy.details.size(), 1);
  EXPECT_EQ(policy.details[0].result, "certificate-expired");
  EXPECT_EQ(policy.details[0].sessions, 3);
}

TEST(ReadTls, OddValuesAreNoHarm) {
  for (const char* odd : {"-1", "99999999999999999999", "1e300", "\"5\"", "null", "[[[]]]", "{}"}) {
    const auto report = read_tls(replaced(kJson, ":5,", std::string(":") + odd + ","));
    ASSERT_TRUE(report) << odd;
    EXPECT_LE(report->policies[0].successes, kMostCounted);
  }
  for (const char* none : {"", "[]", "{}", "{\"policies\":[]}", "nonsense"}) EXPECT_FALSE(read_tls(none)) << none;
  EXPECT_FALSE(read_tls(replaced(kJson, "2016-04-01T00", "2016-13-01T00")));
  EXPECT_FALSE(read_tls(std::string(100, '[') + std::string(100, ']')));
  EXPECT_FALSE(read_tls(std::string(kMostTlsDocument + 1, ' ')));
}

std::string mail_with(std::string_view type, std::string_view body) {
  return fmt::format(
      "From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n"
      "<hello>\r\n--x\r\nContent-Type: {}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}\r\n--x--\r\n",
      type, body);
}

TEST(ReadReports, FindsThemInMailsAndFiles) {
  for (const std::string& file : {kXml, gzip(kXml), "\xEF\xBB\xBF\n" + kXml, mail_with("text/xml", kXml)}) {
    const auto found = read_reports(file);
    EXPECT_EQ(found.dmarc.size(), 1);
    EXPECT_TRUE(found.problems.empty());
  }
  for (const std::string& file : {kJson, gzip(kJson), mail_with("application/tlsrpt+json", kJson)}) {
    EXPECT_EQ(read_reports(file).tls.size(), 1);
  }
}

TEST(ReadReports, WordsAreNoReports) {
  const auto found = read_reports(mail_with("text/html", "<html>"));
  EXPECT_TRUE(found.dmarc.empty());
  EXPECT_TRUE(found.problems.empty());
  EXPECT_EQ(read_reports(mail_with("application/xml", "<html>")).problems.size(), 1);
}

TEST(ReadReports, AFileThatUnpacksToTooMuchIsAProblem) {
  const std::string bomb = gzip(std::string(kMostDocument + 1, ' '));
  EXPECT_LT(bomb.size(), 100'000);
  const auto found = read_reports(bomb);
  ASSERT_EQ(found.problems.size(), 1);
  EXPECT_NE(found.problems[0].find("when unpacked"), std::string::npos);
  EXPECT_EQ(read_reports(gzip(gzip(kXml))).problems.size(), 1);  // no boxes in boxes
}

TEST(ReadReports, AMailHasFewDocuments) {
  std::string mail = "Content-Type: multipart/mixed; boundary=x\r\n\r\n";
  for (int i = 0; i < 100; ++i) mail += "--x\r\nContent-Type: text/xml\r\n\r\n" + kXml + "\r\n";
  const auto found = read_reports(mail + "--x--\r\n");
  EXPECT_EQ(found.dmarc.size(), kMostDocuments);
  EXPECT_EQ(found.problems.size(), 1);
}

std::string file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Reports as they were really sent.
TEST(ReadReports, ReadsOthersReports) {
  const char* given = std::getenv("DOORWARD_MATERIAL");
  const std::filesystem::path place =
      (given != nullptr ? std::filesystem::path(given) : std::filesystem::path(TEST_DATA "/../../../shared/material")) /
      "reports";
  if (!std::filesystem::exists(place)) {
    std::cerr << "READERS: no material at " << place << "; others' reports are not read\n";
    GTEST_SKIP();
  }
  size_t dmarc = 0, tls = 0;
  for (const char* folder : {"parsedmarc/aggregate", "parsedmarc/smtp_tls", "stalwart-mail-auth/tlsrpt",
                             "stalwart-mail-auth/dmarc-feedback", "parsedmarc/extract_report"}) {
    for (const auto& entry : std::filesystem::directory_iterator(place / folder)) {
      const std::string name = entry.path().filename().string();
      // Their expected results are JSON as well.
      if (name.ends_with(".json") && std::string_view(folder).ends_with("dmarc-feedback")) continue;
      if (name == "rpt03.json") continue;  // its policies are of no domain (RFC 8460 §4.4: policy-domain)
      const auto found = read_reports(file(entry.path()));
      dmarc += found.dmarc.size();
      tls += found.tls.size();
      for (const auto& problem : found.problems) std::cerr << entry.path() << ": " << problem << "\n";
      EXPECT_EQ(found.dmarc.size() + found.tls.size(), 1) << entry.path();
    }
  }
  EXPECT_GE(dmarc, 15);
  EXPECT_GE(tls, 6);
}

}  // namespace
}  // namespace doorward::report
