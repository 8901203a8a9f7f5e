#include "gateway/spooling.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

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

Spooling::Spooling(const mail::Client& client, const mail::Envelope& envelope, const sheet::ScoreSheet& sheet,
                   SystemTime now)
    : mail_(std::make_shared<spool::Mail>()) {
  mail_->id = envelope.id;
  mail_->direction = sheet.direction;
  // Only a customer's own server is known to be who it says (DESIGN §2: bounces go to authenticated senders alone).
  mail_->may_bounce = sheet.direction == sheet::Direction::outbound && !envelope.from.null;
  mail_->received_at = now;
  mail_->client_ip = sheet.client_ip;
  mail_->helo = client.helo;
  mail_->from = envelope.from;
  mail_->body = envelope.body;
  mail_->smtputf8 = envelope.smtputf8;
  mail_->require_tls = envelope.require_tls;
  mail_->ret = envelope.ret;
  mail_->envid = envelope.envid;
  mail_->size = sheet.size;
  mail_->subject = beginning(sheet.subject);
}

void Spooling::add(mime::Edits edits, sheet::Class klass, sheet::Disposition disposition,
                   const std::vector<const Taken*>& recipients) {
  const auto version = static_cast<uint16_t>(versions_.size());
  versions_.push_back(std::move(edits));
  for (const Taken* taken : recipients) {
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
