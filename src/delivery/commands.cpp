#include "delivery/commands.h"

#include "delivery/reply_map.h"

namespace doorward::delivery {
namespace {

std::string notify_words(const mail::Notify& notify) {
  if (notify.never) return "NEVER";
  std::string words;
  const auto add = [&words](bool wanted, const char* word) {
    if (wanted) words.append(words.empty() ? "" : ",").append(word);
  };
  add(notify.success, "SUCCESS");
  add(notify.failure, "FAILURE");
  add(notify.delay, "DELAY");
  return words;
}

}  // namespace

std::string mail_command(const mail::Envelope& envelope, const smtp::Extensions& offered) {
  std::string line = "MAIL FROM:<" + envelope.from.text() + ">";
  if (offered.size && envelope.declared_size) line += " SIZE=" + std::to_string(*envelope.declared_size);
  if (offered.eight_bit_mime && envelope.body == mail::Body::eight_bit_mime) line += " BODY=8BITMIME";
  if (offered.smtputf8 && envelope.smtputf8) line += " SMTPUTF8";
  if (offered.requiretls && envelope.require_tls) line += " REQUIRETLS";
  if (offered.dsn) {  // RFC 3461 §4.3, §4.4
    if (envelope.ret != mail::DsnReturn::none)
      line += envelope.ret == mail::DsnReturn::full ? " RET=FULL" : " RET=HDRS";
    if (!envelope.envid.empty()) line += " ENVID=" + envelope.envid;
  }
  return line;
}

std::string rcpt_command(const mail::Recipient& recipient, const smtp::Extensions& offered) {
  std::string line = "RCPT TO:<" + recipient.mailbox.text() + ">";
  if (offered.dsn) {  // RFC 3461 §4.1, §4.2
    if (recipient.notify.given)
      if (const std::string words = notify_words(recipient.notify); !words.empty()) line += " NOTIFY=" + words;
    if (!recipient.orcpt.empty()) line += " ORCPT=" + recipient.orcpt;
  }
  return line;
}

std::optional<smtp::Reply> unsupported(const mail::Envelope& envelope, const mail::Recipient* recipient,
                                       const smtp::Extensions& offered, bool secured) {
  const bool utf8 = envelope.smtputf8 || (!envelope.from.null && !envelope.from.mailbox.is_ascii()) ||
                    (recipient != nullptr && !recipient->mailbox.is_ascii());
  if (utf8 && !offered.smtputf8) return smtputf8_not_supported();
  // RFC 8689 §4.2.1. How far the certificate is verified is the backend's own TLS policy: it is the operator's server.
  if (envelope.require_tls && !(offered.requiretls && secured)) return requiretls_not_supported();
  if (offered.size_limit != 0 && envelope.declared_size && *envelope.declared_size > offered.size_limit)
    return too_large_for_backend();
  return std::nullopt;
}

}  // namespace doorward::delivery
