#include "report/dmarc_xml.h"

#include <fmt/format.h>

#include <string_view>

#include "mail/utf8.h"

namespace doorward::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// XML 1.0 §2.2 and §2.4. Sequences of three octets: U+FFFE and U+FFFF are no characters.
void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const size_t size = mail::utf8_sequence(text);
    const std::string_view one = text.substr(0, size == 0 ? 1 : size);
    text.remove_prefix(one.size());
    const char c = one.front();
    if (size == 0 || one == "\xEF\xBF\xBE" || one == "\xEF\xBF\xBF") {
      out += kReplacement;
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (size == 1 && static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n') {
      out += kReplacement;
    } else {
      out += one;
    }
  }
}

// Writes elements with their indentation.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void open(std::string_view name) {
    indent();
    out_ += fmt::format("<{}>\n", name);
    ++depth_;
  }
  void close(std::string_view name) {
    --depth_;
    indent();
    out_ += fmt::format("</{}>\n", name);
  }
  void element(std::string_view name, std::string_view text) {
    indent();
    out_ += fmt::format("<{}>", name);
    append_escaped(out_, text);
    out_ += fmt::format("</{}>\n", name);
  }
  void number(std::string_view name, uint64_t value) { element(name, fmt::format("{}", value)); }
  void optional(std::string_view name, std::string_view text) {
    if (!text.empty()) element(name, text);
  }

 private:
  void indent() { out_.append(depth_ * 2, ' '); }
  std::string& out_;
  size_t depth_ = 1;
};

void write_metadata(Writer& to, const DmarcReport& report) {
  to.open("report_metadata");
  to.element("org_name", report.organization);
  to.element("email", report.contact);
  to.optional("extra_contact_info", report.extra_contact);
  to.element("report_id", report.id);
  to.open("date_range");
  to.element("begin", fmt::format("{}", report.begin));
  to.element("end", fmt::format("{}", report.end));
  to.close("date_range");
  std::string errors;
  for (const auto& error : report.errors) errors += (errors.empty() ? "" : "; ") + error;
  to.optional("error", errors);  // once at most
  to.optional("generator", report.generator);
  to.close("report_metadata");
}

void write_published(Writer& to, const DmarcPublished& published) {
  to.open("policy_published");
  to.element("domain", published.domain);
  to.element("discovery_method", "treewalk");
  to.element("p", published.p);
  to.optional("sp", published.sp);
  to.optional("np", published.np);
  to.optional("fo", published.fo);
  to.optional("adkim", published.adkim);
  to.optional("aspf", published.aspf);
  to.element("testing", published.testing ? "y" : "n");
  to.close("policy_published");
}

void write_row(Writer& to, const DmarcRecordRow& row) {
  const auto result = [](bool passed) { return passed ? "pass" : "fail"; };
  to.open("row");
  to.element("source_ip", row.source_ip);
  to.number("count", row.count);
  to.open("policy_evaluated");
  to.element("disposition", row.disposition);
  to.element("dkim", result(row.dkim));
  to.element("spf", result(row.spf));
  for (const auto& reason : row.reasons) {
    to.open("reason");
    to.element("type", reason.type);
    to.optional("comment", reason.comment);
    to.close("reason");
  }
  to.close("policy_evaluated");
  to.close("row");
}

void write_record(Writer& to, const DmarcRecordRow& row) {
  to.open("record");
  write_row(to, row);
  to.open("identifiers");
  to.element("header_from", row.header_from);
  to.element("envelope_from", row.envelope_from);  // empty: the null reverse path
  to.close("identifiers");
  to.open("auth_results");
  for (const auto& signature : row.signatures) {
    to.open("dkim");
    to.element("domain", signature.domain);
    to.element("selector", signature.selector);
    to.element("result", signature.result);
    to.close("dkim");
  }
  if (!row.spf_result.empty()) {
    to.open("spf");
    to.element("domain", row.spf_domain);
    to.element("scope", "mfrom");
    to.element("result", row.spf_result);
    to.close("spf");
  }
  to.close("auth_results");
  to.close("record");
}

}  // namespace

std::string to_xml(const DmarcReport& report) {
  std::string out =
      fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feedback xmlns=\"{}\">\n", kDmarcNamespace);
  out.reserve(2000 + report.rows.size() * 1000);
  Writer to(out);
  to.element("version", "1.0");
  write_metadata(to, report);
  write_published(to, report.published);
  for (const auto& row : report.rows) write_record(to, row);
  out += "</feedback>\n";
  return out;
}

}  // namespace doorward::report
