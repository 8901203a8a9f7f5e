#include "report/dmarc_xml.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace doorward::report {
namespace {

DmarcReport whole() {
  DmarcReport report;
  report.organization = "A & B <Ltd>";
  report.contact = "dmarc@b.example";
  report.extra_contact = "https://b.example/?a=1&b=2";
  report.id = "01J00000000000000000000000";
  report.begin = 1000;
  report.end = 1999;
  report.errors = {"one", "two"};
  report.generator = "Doorward";
  report.published = {"example.org", "reject", "quarantine", "none", "s", "r", "0:d", true};
  DmarcRecordRow row;
  row.source_ip = "2001:db8::1";
  row.count = 3;
  row.disposition = "none";
  row.dkim = true;
  row.reasons = {{"local_policy", "]]> & so"}, {"mailing_list"}};
  row.header_from = "example.org";
  row.signatures = {{"example.org", "s1", "pass"}, {"example.net", "", "temperror"}};
  row.spf_domain = "example.net";
  row.spf_result = "softfail";
  report.rows = {row, row};
  report.rows[1].source_ip = "192.0.2.1";
  report.rows[1].spf_result.clear();
  report.rows[1].reasons.clear();
  return report;
}

TEST(DmarcXml, SaysWhatTheReportSays) {
  const std::string text = to_xml(whole());
  for (const char* part : {
           "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">\n",
           "<org_name>A &amp; B &lt;Ltd&gt;</org_name>",
           "<begin>1000</begin>",
           "<end>1999</end>",
           "<error>one; two</error>",
           "<np>none</np>",
           "<testing>y</testing>",
           "<source_ip>2001:db8::1</source_ip>\n      <count>3</count>",
           "<comment>]]&gt; &amp; so</comment>",
           "<envelope_from></envelope_from>",
           "<selector></selector>",
           "<scope>mfrom</scope>",
           "<result>softfail</result>",
       }) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(DmarcXml, NoTextBreaksOut) {
  DmarcReport report = whole();
  report.rows[0].header_from = std::string("a</header_from>\x01\xFF\xC0\x80\xEF\xBF\xBF\r", 23);
  const std::string text = to_xml(report);
  EXPECT_EQ(text.find("a</header_from>"), std::string::npos);
  EXPECT_NE(text.find("a&lt;/header_from&gt;\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"),
            std::string::npos);
  EXPECT_EQ(text.find('\r'), std::string::npos);
}

// By a program that knows schemas, where there is one.
TEST(DmarcXml, FollowsTheSchema) {
  if (std::system("command -v xmllint > /dev/null 2>&1") != 0) GTEST_SKIP() << "xmllint is not installed";
  const auto path = std::filesystem::temp_directory_path() / ("report." + std::to_string(::getpid()) + ".xml");
  const auto is_valid = [&path](const std::string& text) {
    std::ofstream(path) << text;
    const std::string command =
        "xmllint --nonet --noout --schema " TEST_DATA "/reports/aggregate.xsd " + path.string() + " 2> /dev/null";
    return std::system(command.c_str()) == 0;
  };
  EXPECT_TRUE(is_valid(to_xml(whole())));
  DmarcReport wrong = whole();
  wrong.rows[0].disposition = "refused";
  EXPECT_FALSE(is_valid(to_xml(wrong)));  // else the test would show nothing
  wrong = whole();
  wrong.rows.clear();
  EXPECT_FALSE(is_valid(to_xml(wrong)));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace doorward::report
