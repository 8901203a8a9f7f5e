#include "delivery/relay_notice.h"

#include <algorithm>
#include <utility>

#include "base/id.h"

namespace doorward::delivery {
namespace {

using Kind = spool::Outcome::Kind;

constexpr size_t kSubject = 200;  // octets, as spool/mail.h has it

// As the sender gave it: what it was rewritten to is nobody's business.
mail::Mailbox address(const spool::Recipient& recipient) {
  auto given = mail::parse_mailbox(recipient.given);
  return given ? std::move(*given) : recipient.to.mailbox;
}

DsnRecipient entry(const spool::Job& job, const Answered& answer, DsnAction action, SystemTime now) {
  const spool::Recipient& recipient = job.mail->recipients[answer.recipient];
  DsnRecipient told;
  told.address = address(recipient);
  told.orcpt = recipient.to.orcpt;
  told.action = action;
  told.status = answer.meaning.told.enhanced;
  told.diagnostic = one_line(answer.meaning.told);
  told.remote_mta = answer.remote_name;  // backends have no names outside
  told.last_attempt = now;
  return told;
}

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

Notice notice_of(const RelayOptions& options, const spool::Job& job, std::vector<Answered>& answers,
                 std::string_view content, SystemTime now) {
  const spool::Mail& mail = *job.mail;
  // What an administrator sends back by hand he has looked at. A bounce for a bounce there is never (RFC 5321 §6.1).
  const bool may_tell = (mail.may_bounce || job.bounce) && !mail.from.null;
  const bool late = may_tell && !job.warned && (job.warn_only || now - mail.received_at >= options.warn_after);
  std::optional<bool> answers_itself;
  Notice notice;
  for (Answered& answer : answers) {
    const mail::Notify& notify = mail.recipients[answer.recipient].to.notify;
    const Kind kind = answer.meaning.kind;
    if (kind == Kind::failed) {
      if (may_tell && !answers_itself) answers_itself = is_automatic_answer(content);
      if (!may_tell || *answers_itself) {
        answer.meaning.kind = Kind::stranded;
      } else if (wants(mail.from, notify, DsnAction::failed, options.notify)) {
        notice.told.push_back(entry(job, answer, DsnAction::failed, now));
        notice.fails = true;
      }
    } else if (kind == Kind::retry && late && wants(mail.from, notify, DsnAction::delayed, options.notify)) {
      DsnRecipient delayed = entry(job, answer, DsnAction::delayed, now);
      delayed.retry_until = mail.received_at + options.lifetime;
      notice.told.push_back(std::move(delayed));
      notice.warns = true;
    } else if (kind == Kind::delivered && may_tell && !answer.dsn_passed &&
               wants(mail.from, notify, DsnAction::relayed, options.notify)) {
      notice.told.push_back(entry(job, answer, DsnAction::relayed, now));  // RFC 3461 §5.2.2
    }
  }
  return notice;
}

NoticeMail notice_mail(const RelayOptions& options, const policy::Snapshot& snapshot, const spool::Mail& about,
                       const Notice& notice, std::string_view content, SystemTime now) {
  DsnSubject subject;
  subject.sender = about.from.mailbox;
  subject.envid = about.envid;
  subject.ret = about.ret;
  subject.smtputf8 = about.smtputf8;
  subject.arrived = about.received_at;
  subject.received_from = about.helo;
  subject.content = content;
  DsnOptions how;
  how.host = options.host_name;
  if (options.language && !about.recipients.empty()) how.language = options.language(about.recipients.front().customer);
  how.now = now;
  how.most_returned = options.most_returned;
  Dsn dsn = make_dsn(subject, notice.told, how);

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
