#include "delivery/relay_notice.h"

#include <utility>

namespace doorward::delivery {
namespace {

using Kind = spool::Outcome::Kind;

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
        // Whoever writes to a customer in a false name would else have its automatic answers kept here for ever.
        if (mail.direction == sheet::Direction::inbound) answer.meaning.kind = Kind::stranded;
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

}  // namespace doorward::delivery
