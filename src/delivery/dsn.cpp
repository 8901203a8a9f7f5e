#include "delivery/dsn.h"

#include <fmt/format.h>

#include <algorithm>

#include "action/encoded_text.h"
#include "base/id.h"
#include "delivery/dsn_address.h"
#include "delivery/dsn_text.h"
#include "mail/ascii.h"
#include "mail/date_time.h"
#include "mail/utf8.h"
#include "mime/headers.h"

namespace doorward::delivery {
namespace {

constexpr size_t kMostDiagnostic = 500;  // octets
constexpr size_t kMostLine = 998;        // RFC 5322 §2.1.1

void add_field(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty() || name.size() + value.size() + 4 > kMostLine) return;
  // Folding makes one blank of two, which a quoted local part may have.
  out += value.contains("  ") ? fmt::format("{}: {}\r\n", name, value) : action::header_field(name, value);
}

smtp::EnhancedStatus status_of(const DsnRecipient& recipient) {
  if (recipient.status.present()) return recipient.status;
  if (recipient.action == DsnAction::failed) return {5, 0, 0};
  return recipient.action == DsnAction::delayed ? smtp::EnhancedStatus{4, 0, 0} : smtp::EnhancedStatus{2, 0, 0};
}

// RFC 3464 §2.3, with the addresses beyond ASCII of RFC 6533 §3.
void add_recipient(std::string& out, const DsnRecipient& recipient, bool raw_utf8) {
  out += "\r\n";
  add_field(out, "Original-Recipient", original_address_field(recipient.orcpt, raw_utf8));
  add_field(out, "Final-Recipient", address_field(recipient.address, raw_utf8));
  add_field(out, "Action", text(recipient.action));
  const smtp::EnhancedStatus status = status_of(recipient);
  add_field(out, "Status", fmt::format("{}.{}.{}", status.klass, status.subject, status.detail));
  if (!recipient.remote_mta.empty())
    add_field(out, "Remote-MTA", "dns; " + one_line(recipient.remote_mta, 255, raw_utf8));
  if (!recipient.diagnostic.empty()) {
    add_field(out, "Diagnostic-Code", "smtp; " + one_line(recipient.diagnostic, kMostDiagnostic, raw_utf8));
  }
  if (recipient.last_attempt) add_field(out, "Last-Attempt-Date", mail::date_time(*recipient.last_attempt));
  if (recipient.retry_until && recipient.action == DsnAction::delayed) {
    add_field(out, "Will-Retry-Until", mail::date_time(*recipient.retry_until));
  }
}

// RFC 3464 §2.
std::string status_part(const DsnSubject& subject, const std::vector<DsnRecipient>& recipients,
                        const DsnOptions& options) {
  std::string out;
  add_field(out, "Original-Envelope-Id", envelope_id_field(subject.envid));
  add_field(out, "Reporting-MTA", "dns; " + options.host);
  if (!subject.received_from.empty()) {
    add_field(out, "Received-From-MTA", "dns; " + one_line(subject.received_from, 255, subject.smtputf8));
  }
  add_field(out, "Arrival-Date", mail::date_time(subject.arrived));
  for (const DsnRecipient& recipient : recipients) add_recipient(out, recipient, subject.smtputf8);
  return out;
}

std::string quoted_printable(std::string_view text) {
  constexpr size_t kMost = 76;  // of a line with its soft break (RFC 2045 §6.7)
  std::string out;
  size_t column = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') {
      out += "\r\n";
      ++i;
      column = 0;
      continue;
    }
    const bool at_end = i + 1 == text.size() || text[i + 1] == '\r';
    const bool plain = (c > ' ' && c < 0x7F && c != '=') || (c == ' ' && !at_end);
    const size_t wide = plain ? 1 : 3;
    if (column + wide >= kMost) {
      out += "=\r\n";
      column = 0;
    }
    if (plain) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "={:02X}", static_cast<uint8_t>(c));
    }
    column += wide;
  }
  return out;
}

// The header section without the empty line behind it.
std::string_view header_section(std::string_view content) {
  if (content.starts_with("\r\n")) return {};
  const size_t end = content.find("\r\n\r\n");
  return end == std::string_view::npos ? content : content.substr(0, end + 2);
}

struct ReturnedPart {
  Returned which = Returned::headers;
  std::string_view type;
  std::string_view bytes;
};

// RFC 3461 §4.3: the whole mail where it was asked for, and only beside a failure. Where nothing was asked for the
// header section is enough to know the mail by, and carries nothing on that might have been the reason.
ReturnedPart returned_part(const DsnSubject& subject, DsnAction worst, const DsnOptions& options) {
  ReturnedPart part;
  const std::string_view headers = header_section(subject.content);
  const bool utf8 = subject.smtputf8 && !mail::is_ascii(headers);
  if (subject.ret == mail::DsnReturn::full && worst == DsnAction::failed &&
      subject.content.size() <= options.most_returned) {
    part.which = Returned::whole;
    part.type = utf8 ? "message/global" : "message/rfc822";
    part.bytes = subject.content;
    return part;
  }
  part.type = utf8 ? "message/global-headers" : "text/rfc822-headers";
  part.bytes = headers;
  if (headers.size() > options.most_returned) {
    const size_t line = headers.substr(0, options.most_returned).rfind("\r\n");
    part.bytes = line == std::string_view::npos ? std::string_view() : headers.substr(0, line + 2);
  }
  return part;
}

// The Message-ID that the notification refers to; empty unless it is well made.
std::string message_id(std::string_view content) {
  mime::Oddities ignored;
  const mime::Limits limits;
  mime::HeaderSection section = mime::scan_headers(content, 0, limits, true, 0, ignored);
  mime::Headers headers;
  headers.mutable_fields() = std::move(section.fields);
  std::string id = headers.unfolded("Message-ID");
  const bool good = id.size() > 4 && id.size() <= 250 && id.front() == '<' && id.find('>') == id.size() - 1 &&
                    std::ranges::all_of(id, [](char c) { return c > ' ' && c < 0x7F; });
  return good ? id : std::string();
}

void add_part(std::string& out, std::string_view boundary, std::string_view head, std::string_view body) {
  out += fmt::format("--{}\r\n{}\r\n", boundary, head);
  out += body;
  out += "\r\n";  // the delimiter's
}

std::string_view encoding_of(std::string_view bytes) { return mail::is_ascii(bytes) ? "7bit" : "8bit"; }

}  // namespace

std::string_view text(DsnAction action) {
  switch (action) {
    case DsnAction::failed:
      return "failed";
    case DsnAction::delayed:
      return "delayed";
    case DsnAction::relayed:
      return "relayed";
    case DsnAction::delivered:
      return "delivered";
    case DsnAction::expanded:
      return "expanded";
  }
  return "failed";
}

Dsn make_dsn(const DsnSubject& subject, const std::vector<DsnRecipient>& recipients, const DsnOptions& options) {
  const Wording& words = wording(options.language);
  const DsnAction worst = std::ranges::min(recipients, {}, &DsnRecipient::action).action;
  const ReturnedPart returned = returned_part(subject, worst, options);
  const std::string human = quoted_printable(human_part(words, subject, recipients, options.host, returned.which));
  const std::string status = status_part(subject, recipients, options);
  const std::string_view status_type = mail::is_ascii(status) ? "delivery-status" : "global-delivery-status";

  Dsn dsn;
  dsn.to = subject.sender;
  dsn.smtputf8 = !subject.sender.is_ascii();
  const bool seven_bit = mail::is_ascii(status) && mail::is_ascii(returned.bytes) && !dsn.smtputf8;
  dsn.body = seven_bit ? mail::Body::seven_bit : mail::Body::eight_bit_mime;
  dsn.id = fmt::format("<{}@{}>", new_id(options.now), options.host);
  std::string boundary;
  do {
    boundary = "=_" + new_id(options.now);
  } while (returned.bytes.contains(boundary) || status.contains(boundary));

  std::string& out = dsn.content;
  out.reserve(human.size() + status.size() + returned.bytes.size() + 2048);
  out += fmt::format("Date: {}\r\n", mail::date_time(options.now));
  out += fmt::format("From: {} <MAILER-DAEMON@{}>\r\n", sender_name(words), options.host);
  out += fmt::format("To: <{}>\r\n", subject.sender.text());
  out += fmt::format("Subject: {}\r\n", title(words, worst));
  out += fmt::format("Message-ID: {}\r\n", dsn.id);
  if (const std::string id = message_id(subject.content); !id.empty()) {
    add_field(out, "In-Reply-To", id);
    add_field(out, "References", id);
  }
  out += "Auto-Submitted: auto-replied\r\n";  // RFC 3834 §5
  out += fmt::format("MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type={};\r\n\tboundary=\"{}\"\r\n",
                     status_type, boundary);
  out += fmt::format("Content-Transfer-Encoding: {}\r\n\r\n", seven_bit ? "7bit" : "8bit");
  add_part(out, boundary, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n",
           human);
  add_part(
      out, boundary,
      fmt::format("Content-Type: message/{}\r\nContent-Transfer-Encoding: {}\r\n", status_type, encoding_of(status)),
      status);
  add_part(
      out, boundary,
      fmt::format("Content-Type: {}\r\nContent-Transfer-Encoding: {}\r\n", returned.type, encoding_of(returned.bytes)),
      returned.bytes);
  out += fmt::format("--{}--\r\n", boundary);
  return dsn;
}

}  // namespace doorward::delivery
