#include "report/mail_fields.h"

#include <fmt/format.h>

#include "action/encoded_text.h"
#include "mail/date_time.h"
#include "mail/utf8.h"

namespace doorward::report {
namespace {

// A display name: a quoted string where it is ASCII (RFC 5322 §3.2.4), else encoded words.
std::string display_name(std::string_view text) {
  if (!mail::is_ascii(text)) return action::encoded_text(text);
  std::string out = "\"";
  for (const char c : text.substr(0, 60)) {
    if (c < ' ' || c == 0x7F) continue;
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::string report_fields(const ReportSender& sender, const mail::Mailbox& to, std::string_view subject,
                          std::string_view unique, SystemTime now) {
  return fmt::format(
      "Date: {}\r\nFrom: {} <{}>\r\nTo: <{}>\r\nSubject: {}\r\nMessage-ID: <{}@{}>\r\n"
      "Auto-Submitted: auto-generated\r\n"  // RFC 3834 §5
      "MIME-Version: 1.0\r\n",
      mail::date_time(now), display_name(sender.organization), sender.contact, to.text(), subject, unique,
      sender.submitter());
}

}  // namespace doorward::report
