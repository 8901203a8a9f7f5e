#include "report/failure_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "action/authentication_results.h"
#include "mail/ascii.h"
#include "mail/date_time.h"
#include "report/mail_fields.h"

namespace doorward::report {
namespace {

using mailauth::DmarcPolicy;
using mailauth::Result;

// Enough to see which of a domain's own mails it is, and nothing of whom it went to or what about.
constexpr std::array<std::string_view, 6> kTold{"From", "Sender", "Date", "Message-ID", "List-Id", "DKIM-Signature"};
constexpr size_t kMostFields = 10, kMostOfField = 4096, kMostOfLine = 900;  // octets

// Strangers' octets: printable ASCII, folded where it was and where a line would be too long (RFC 5322 §2.1.1).
void append_field(std::string& out, const mime::Header& field) {
  out.append(field.name).append(":");
  size_t column = field.name.size() + 1;
  const std::string_view value = field.value.substr(0, kMostOfField);
  for (size_t at = 0; at < value.size(); ++at) {
    const char c = value[at];
    if (c == '\r') continue;
    if (c == '\n' || column >= kMostOfLine) {
      out += "\r\n ";
      column = 1;
      if (c == '\n') continue;
    }
    out += (c >= ' ' && c < 0x7F) || c == '\t' ? c : '?';
    ++column;
  }
  out += "\r\n";
}

std::string told_headers(const mime::Message& message) {
  std::string out;
  size_t count = 0;
  for (const mime::Header& field : message.headers().fields()) {
    const bool told =
        std::ranges::any_of(kTold, [&](std::string_view name) { return mail::equal_ignoring_case(name, field.name); });
    if (told && ++count <= kMostFields) append_field(out, field);
  }
  return out;
}

bool is_aligned(std::string_view domain, const mailauth::DmarcOutcome& dmarc, bool strict) {
  if (domain == dmarc.author_domain) return true;
  const std::string& organization = dmarc.organizational_domain;
  if (strict || organization.empty()) return false;
  return domain == organization || domain.ends_with("." + organization);
}

bool failed(Result result) {
  return result == Result::fail || result == Result::softfail || result == Result::permerror ||
         result == Result::policy || result == Result::neutral;
}

// fo= (RFC 9989 §4.7): 0, what proved nothing at all; 1, where one of the two did not; d and s, whatever fails by
// itself.
bool is_asked_for(const filter::Authentication& of) {
  const auto& wanted = of.dmarc.record->failure_options;
  const bool any_signature =
      std::ranges::any_of(of.dkim.signatures, [](const auto& one) { return failed(one.result); });
  return (wanted.all_fail && of.dmarc.result == Result::fail) ||
         (wanted.any_fail && !(of.dmarc.spf_aligned && of.dmarc.dkim_aligned)) || (wanted.dkim && any_signature) ||
         (wanted.spf && (of.spf.result == Result::fail || of.spf.result == Result::softfail));
}

std::vector<ReportAddress> addresses(const mailauth::DmarcRecord& record) {
  constexpr size_t kLongest = 400;
  std::vector<ReportAddress> told;
  for (const std::string& uri : record.failure) {
    if (told.size() == kMostFailureAddresses) break;
    if (uri.size() <= kLongest && mail::starts_ignoring_case(uri, "mailto:")) told.push_back({uri, 0});
  }
  return told;
}

bool is_automatic(const gateway::Witness::Seen& mail) {
  const std::string automatic = mail.message.headers().text("Auto-Submitted");
  return mail.envelope.from.null || (!automatic.empty() && !mail::equal_ignoring_case(automatic, "no"));
}

std::string results_text(const gateway::Witness::Seen& mail, std::string_view host_name) {
  auto results = action::results_of(mail.facts, mail.client, mail.envelope);
  for (auto& result : results) {
    for (auto& property : result.properties) {
      if (property.name != "mailfrom") continue;
      const size_t at = property.value.rfind('@');
      if (at != std::string::npos) property.value.erase(0, at + 1);  // whose mailbox it is, is not told
    }
  }
  return mailauth::authentication_results_text(host_name, results);
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 255)) out += c > ' ' && c < 0x7F ? c : '?';
  return out;
}

std::string alignment_text(const FailureReport& report) {
  if (report.dkim_failed && report.spf_failed) return "dkim, spf";
  return report.dkim_failed ? "dkim" : report.spf_failed ? "spf" : "none";
}

// A quoted-string (RFC 5322 §3.2.4), folded: a record may be long.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  size_t column = 0;
  for (const char c : text.substr(0, kMostOfField)) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == ' ' && ++column > 70) {
      out += "\r\n";
      column = 0;
    }
    out += c >= ' ' && c < 0x7F ? c : '?';
    ++column;
  }
  return out + '"';
}

std::string feedback(const FailureReport& report) {
  std::string out = fmt::format(
      "Feedback-Type: auth-failure\r\nUser-Agent: Doorward\r\nVersion: 1\r\nAuth-Failure: dmarc\r\n"
      "Identity-Alignment: {}\r\nReported-Domain: {}\r\nSource-IP: {}\r\nArrival-Date: {}\r\n"
      "Authentication-Results: {}\r\n",
      alignment_text(report), report.author_domain, report.source_ip, mail::date_time(report.time), report.results);
  if (!report.delivery.empty()) out += fmt::format("Delivery-Result: {}\r\n", report.delivery);
  if (!report.dkim_domain.empty()) {
    out += fmt::format("DKIM-Domain: {}\r\nDKIM-Identity: {}\r\nDKIM-Selector: {}\r\n", report.dkim_domain,
                       report.dkim_identity, report.dkim_selector);
  }
  if (!report.spf_domain.empty()) {
    out += fmt::format("SPF-DNS: txt : {} : {}\r\n", report.spf_domain, quoted(report.spf_record));
  }
  return out;
}

}  // namespace

std::optional<FailureReport> failure_of(const gateway::Witness::Seen& mail, std::string_view host_name) {
  if (!mail.facts.authentication) return std::nullopt;
  const filter::Authentication& of = *mail.facts.authentication;
  const mailauth::DmarcOutcome& dmarc = of.dmarc;
  if (!of.spf_asked || !dmarc.record || dmarc.record->failure.empty() || dmarc.policy_domain.empty()) return {};
  if (dmarc.result != Result::pass && dmarc.result != Result::fail) return std::nullopt;
  if (!is_asked_for(of) || is_automatic(mail) || mail.client.ip.is_unspecified()) return std::nullopt;
  if (std::ranges::all_of(mail.sheet.groups, [](const auto& group) { return group.reply_code / 100 == 4; })) return {};

  FailureReport report;
  report.addresses = addresses(*dmarc.record);
  if (report.addresses.empty()) return std::nullopt;
  report.time = mail.now;
  report.policy_domain = dmarc.policy_domain;
  report.author_domain = printable(dmarc.author_domain);
  report.source_ip = mail.client.ip.text();
  report.results = results_text(mail, host_name);
  // What filters think of a mail is none of a stranger's business: decision 44.
  if (const DmarcPolicy done = applied(mail); done <= dmarc.policy) {
    report.delivery = done == DmarcPolicy::none ? "delivered" : done == DmarcPolicy::quarantine ? "spam" : "reject";
  }
  report.dkim_failed = !dmarc.dkim_aligned;
  report.spf_failed = !dmarc.spf_aligned;
  for (const auto& signature : of.dkim.signatures) {
    if (!failed(signature.result) || !is_aligned(signature.domain, dmarc, dmarc.record->strict_dkim)) continue;
    report.dkim_domain = printable(signature.domain);
    report.dkim_identity = printable(signature.identity);
    report.dkim_selector = printable(signature.selector);
    break;
  }
  if (failed(of.spf.result) && is_aligned(of.spf.domain, dmarc, dmarc.record->strict_spf)) {
    report.spf_domain = printable(of.spf.domain);
  }
  report.headers = told_headers(mail.message);
  return report;
}

std::string failure_subject(const FailureReport& report) {
  return fmt::format("DMARC failure report: {} from {}", report.author_domain, report.source_ip);
}

std::string failure_message(const ReportSender& sender, const FailureReport& report, std::string_view id,
                            const mail::Mailbox& to, unsigned number, SystemTime now) {
  const std::string boundary = fmt::format("=_{}_{}", id, number);  // new each time: nobody could have written it
  std::string out = report_fields(sender, to, failure_subject(report), fmt::format("{}.{}", id, number), now);
  out += fmt::format(
      "Content-Type: multipart/report; report-type=feedback-report;\r\n\tboundary=\"{}\"\r\n\r\n"
      "--{}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
      "This is a DMARC failure report (RFC 9991) about a mail whose author's domain is\r\n{}. It came from {} "
      "on\r\n{}.\r\n"
      "\r\nIt was asked for by ruf= in the DMARC record of {}. Recipients, subject and text of\r\n"
      "the mail are not told.\r\n",
      boundary, boundary, report.author_domain, report.source_ip, mail::date_time(report.time), report.policy_domain);
  out += fmt::format("\r\n--{}\r\nContent-Type: message/feedback-report\r\n\r\n{}", boundary, feedback(report));
  out += fmt::format("\r\n--{}\r\nContent-Type: text/rfc822-headers\r\n\r\n{}", boundary, report.headers);
  out += fmt::format("\r\n--{}--\r\n", boundary);
  return out;
}

}  // namespace doorward::report
