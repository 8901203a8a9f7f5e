#include "report/report_mail.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "base/id.h"
#include "mail/domain.h"
#include "report/mail_fields.h"

namespace doorward::report {
namespace {

std::string moment(int64_t seconds) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                     fmt::gmtime(static_cast<std::time_t>(std::clamp<int64_t>(seconds, 0, 253'402'300'799))));
}

// In lines of 76 characters (RFC 2045 §6.8).
std::string base64_lines(std::string_view octets) {
  constexpr size_t kOfLine = 57;
  std::string out;
  out.reserve(octets.size() / kOfLine * 78 + 80);
  std::array<char, 80> line{};
  while (!octets.empty()) {
    const std::string_view piece = octets.substr(0, kOfLine);
    octets.remove_prefix(piece.size());
    sodium_bin2base64(line.data(), line.size(), reinterpret_cast<const unsigned char*>(piece.data()), piece.size(),
                      sodium_base64_VARIANT_ORIGINAL);
    out += line.data();
    out += "\r\n";
  }
  return out;
}

std::string words(const ReportSender& sender, const DmarcReport& report) {
  uint64_t mails = 0;
  for (const auto& row : report.rows) mails += row.count;
  return fmt::format(
      "This is a DMARC aggregate report (RFC 9990).\r\n\r\n"
      "Domain:    {}\r\nReporter:  {}\r\nFrom:      {}\r\nTo:        {}\r\nMails:     {}\r\nReport-ID: {}\r\n\r\n"
      "It was asked for by rua= in the DMARC record of the domain.\r\n",
      report.published.domain, sender.submitter(), moment(report.begin), moment(report.end), mails, report.id);
}

}  // namespace

std::string ReportSender::submitter() const {
  const auto mailbox = mail::parse_mailbox(contact);
  return mailbox ? mailbox->domain.key() : host_name;
}

std::string file_name(const ReportSender& sender, const DmarcReport& report) {
  return fmt::format("{}!{}!{}!{}!{}.xml.gz", sender.submitter(), report.published.domain, report.begin, report.end,
                     report.id);
}

std::string report_subject(const ReportSender& sender, const DmarcReport& report) {
  return fmt::format("Report Domain: {} Submitter: {} Report-ID: {}", report.published.domain, sender.submitter(),
                     report.id);
}

std::string report_message(const ReportSender& sender, const DmarcReport& report, std::string_view document,
                           const mail::Mailbox& to, unsigned number, SystemTime now) {
  const std::string boundary = fmt::format("=_{}_{}", report.id, number);  // base64 and our words have no "=_"
  const std::string name = file_name(sender, report);
  std::string out;
  out += report_fields(sender, to,
                       fmt::format("Report Domain: {}\r\n Submitter: {}\r\n Report-ID: {}", report.published.domain,
                                   sender.submitter(), report.id),
                       fmt::format("{}.{}", report.id, number), now);
  out += fmt::format("Content-Type: multipart/mixed;\r\n\tboundary=\"{}\"\r\n\r\n", boundary);
  out += fmt::format("--{}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n{}", boundary, words(sender, report));
  out += fmt::format(
      "\r\n--{}\r\nContent-Type: application/gzip;\r\n\tname=\"{}\"\r\nContent-Disposition: attachment;\r\n\t"
      "filename=\"{}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n",
      boundary, name, name);
  out += base64_lines(document);
  out += fmt::format("--{}--\r\n", boundary);
  return out;
}

ReportMail report_mail(const ReportSender& sender, std::string message, std::string_view subject,
                       const mail::Mailbox& to, const policy::Snapshot& snapshot, SystemTime now) {
  auto mail = std::make_shared<spool::Mail>();
  mail->id = new_id(now);
  mail->received_at = now;
  mail->from = sender.path;
  mail->may_bounce = false;  // nobody waits for it
  mail->size = message.size();
  mail->subject = std::string(subject.substr(0, 200));
  spool::Recipient recipient;
  recipient.to.mailbox = to;
  recipient.to.notify.given = recipient.to.notify.never = true;
  recipient.given = to.text();
  if (const auto settings = snapshot.domain(to.domain); settings && settings->backend) {
    mail->direction = sheet::Direction::inbound;
    recipient.customer = settings->customer;
    recipient.domain = settings->domain;
    recipient.destination = {spool::Destination::Kind::backend, fmt::format("{}", settings->backend->id)};
  } else {
    mail->direction = sheet::Direction::outbound;
    recipient.destination = {spool::Destination::Kind::mx, to.domain.key()};
  }
  mail->recipients.push_back(std::move(recipient));
  std::vector<mime::Edits> versions(1);
  auto content = std::make_shared<spool::Content>(mail::Content::of(std::move(message)), std::move(versions));
  return {std::move(mail), std::move(content)};
}

}  // namespace doorward::report
