#include "delivery/notice_mail.h"

#include <algorithm>
#include <utility>

#include "base/id.h"

namespace doorward::delivery {
namespace {

constexpr size_t kSubject = 200;  // octets, as spool/mail.h has it

std::string subject_of(std::string_view content) {
  static constexpr std::string_view kField = "\r\nSubject: ";
  const size_t end = content.find("\r\n\r\n");
  const size_t at = content.substr(0, end).find(kField);
  if (at == std::string_view::npos) return {};
  std::string_view value = content.substr(at + kField.size());
  value = value.substr(0, std::min(value.find("\r\n"), kSubject));
  return std::string(value);
}

}  // namespace

NoticeMail notice_mail(const NoticeStyle& style, const policy::Snapshot& snapshot, const spool::Mail& about,
                       const std::vector<DsnRecipient>& told, std::string_view content, SystemTime now) {
  DsnSubject subject;
  subject.sender = about.from.mailbox;
  subject.envid = about.envid;
  subject.ret = about.require_tls ? mail::DsnReturn::headers : about.ret;  // RFC 8689 §5
  subject.smtputf8 = about.smtputf8;
  subject.arrived = about.received_at;
  subject.received_from = about.helo;
  subject.content = content;
  DsnOptions how;
  how.host = style.host_name;
  if (!about.recipients.empty()) {
    const uint64_t customer = about.recipients.front().customer;
    how.language = style.language ? style.language(customer) : language_of(snapshot.notice_language(customer));
  }
  how.now = now;
  how.most_returned = style.most_returned;
  Dsn dsn = make_dsn(subject, told, how);

  auto mail = std::make_shared<spool::Mail>();
  mail->id = new_id(now);
  mail->received_at = now;
  mail->from.null = true;
  mail->body = dsn.body;
  mail->smtputf8 = dsn.smtputf8;
  mail->size = dsn.content.size();
  mail->subject = subject_of(dsn.content);
  spool::Recipient to;
  to.to.mailbox = std::move(dsn.to);
  to.to.notify.given = to.to.notify.never = true;  // RFC 3461 §6.1
  to.given = to.to.mailbox.text();
  if (const auto settings = snapshot.domain(to.to.mailbox.domain); settings && settings->backend) {
    mail->direction = sheet::Direction::inbound;
    to.customer = settings->customer;
    to.domain = settings->domain;
    to.destination = {spool::Destination::Kind::backend, std::to_string(settings->backend->id)};
  } else {
    mail->direction = sheet::Direction::outbound;
    to.destination = {spool::Destination::Kind::mx, to.to.mailbox.domain.key()};
  }
  mail->recipients.push_back(std::move(to));
  std::vector<mime::Edits> versions(1);
  auto bytes = std::make_shared<spool::Content>(mail::Content::of(std::move(dsn.content)), std::move(versions));
  return NoticeMail{std::move(mail), std::move(bytes)};
}

}  // namespace doorward::delivery
