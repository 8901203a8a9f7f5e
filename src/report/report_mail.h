// A report as the mail that carries it to one address (RFC 9990, "Email").
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "mail/address.h"
#include "policy/snapshot.h"
#include "report/dmarc_report.h"
#include "spool/mail.h"

namespace doorward::report {

struct ReportSender {
  std::string organization{};
  std::string contact{};          // the author: an address whose domain proves our mail by DMARC
  std::string extra_contact{};    // told in the report; may be empty
  mail::ReversePath path{};       // of the envelope
  std::string host_name{};        // ours
  std::string submitter() const;  // the contact's domain: who generates the report
};

// "receiver!policy-domain!begin!end!id.xml.gz"
std::string file_name(const ReportSender& sender, const DmarcReport& report);

// The whole message, lines ending in CRLF, ASCII. `document`: the report, compressed. `number` tells the mails of one
// report to several addresses apart.
std::string report_message(const ReportSender& sender, const DmarcReport& report, std::string_view document,
                           const mail::Mailbox& to, unsigned number, SystemTime now);

struct ReportMail {
  std::shared_ptr<const spool::Mail> mail;
  std::shared_ptr<const spool::Content> content;
};
// Ready for the spool: to the backend where the recipient is ours, else to his MX.
ReportMail report_mail(const ReportSender& sender, std::string message, std::string_view subject,
                       const mail::Mailbox& to, const policy::Snapshot& snapshot, SystemTime now);

// "Report Domain: example.org Submitter: example.net Report-ID: 01J…"
std::string report_subject(const ReportSender& sender, const DmarcReport& report);

}  // namespace doorward::report
