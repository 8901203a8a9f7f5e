#include "gateway/spooling.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/notice.h"
#include "mail/utf8.h"

namespace doorward::gateway {
namespace {

constexpr size_t kLongestSubject = 200;  // octets (spool/mail.h)

std::string beginning(std::string_view text) {
  size_t end = 0;
  while (end < text.size()) {
    const size_t next = mail::utf8_sequence(text.substr(end));
    if (next == 0 || end + next > kLongestSubject) break;
    end += next;
  }
  return std::string(text.substr(0, end));
}

spool::Destination destination_of(const Taken& taken, sheet::Disposition disposition) {
  using Kind = spool::Destination::Kind;
  if (disposition == sheet::Disposition::quarantine) return {Kind::vault, ""};
  if (taken.direction == sheet::Direction::outbound) return {Kind::mx, taken.forward.mailbox.domain.key()};
  return {Kind::backend, fmt::format("{}", taken.settings->backend->id)};
}

}  // namespace

spool::Mail mail_of(const mail::Client& client, const mail::Envelope& envelope, sheet::Direction direction,
                    SystemTime now) {
  spool::Mail mail;
  mail.id = envelope.id;
  mail.direction = direction;
  mail.received_at = now;
  if (!client.ip.is_unspecified()) mail.client_ip = client.ip.text();
  mail.helo = client.helo;
  mail.from = envelope.from;
  mail.body = envelope.body;
  mail.smtputf8 = envelope.smtputf8;
  mail.require_tls = envelope.require_tls;
  mail.ret = envelope.ret;
  mail.envid = envelope.envid;
  return mail;
}

Spooling::Spooling(const filter::Facts& facts, const mail::Client& client, const mail::Envelope& envelope,
                   const sheet::ScoreSheet& sheet, SystemTime now)
    : facts_(facts),
      client_(client),
      mail_(std::make_shared<spool::Mail>(mail_of(client, envelope, sheet.direction, now))) {
  mail_->may_bounce = true;  // until a recipient says otherwise
  mail_->size = sheet.size;
  mail_->subject = beginning(sheet.subject);
}

void Spooling::add(mime::Edits edits, sheet::Class klass, sheet::Disposition disposition,
                   const std::vector<const Taken*>& recipients) {
  const auto version = static_cast<uint16_t>(versions_.size());
  versions_.push_back(std::move(edits));
  for (const Taken* taken : recipients) {
    mail_->may_bounce = mail_->may_bounce && may_be_told(*taken, facts_, client_, mail_->from);
    spool::Recipient recipient;
    recipient.to = taken->forward;
    recipient.given = taken->given.mailbox.text();
    recipient.destination = destination_of(*taken, disposition);
    recipient.version = version;
    recipient.customer = taken->settings->customer;
    recipient.domain = taken->settings->domain;
    recipient.klass = klass;
    recipient.disposition = disposition;
    mail_->recipients.push_back(std::move(recipient));
  }
}

Task<Result<void>> Spooling::commit(spool::Spool& spool, net::Core& core, mail::Content content) {
  content_ = std::make_shared<const spool::Content>(std::move(content), std::move(versions_));
  return spool.commit(core, std::move(mail_), content_);
}

}  // namespace doorward::gateway
