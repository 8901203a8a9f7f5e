// The header fields that all mails with reports have.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "mail/address.h"
#include "report/report_mail.h"

namespace doorward::report {

// From Date to MIME-Version, lines ending in CRLF. `subject` may be folded, `unique` makes the Message-ID.
std::string report_fields(const ReportSender& sender, const mail::Mailbox& to, std::string_view subject,
                          std::string_view unique, SystemTime now);

}  // namespace doorward::report
