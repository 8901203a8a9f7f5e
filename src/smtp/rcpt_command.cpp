// RCPT: RFC 5321 §4.1.1.3 and the parameters of DSN (RFC 3461, RFC 6533).
#include <algorithm>

#include "mail/ascii.h"
#include "mail/utf8.h"
#include "smtp/command.h"
#include "smtp/parameters.h"
#include "smtp/xtext.h"

namespace doorward::smtp {
namespace {

constexpr size_t kMaxOrcpt = 500;  // RFC 3461 §4.2

using Outcome = std::optional<Reply>;  // a refusal, if there is one
using Value = std::optional<std::string_view>;

Outcome bad_value(std::string text) { return Reply(501, EnhancedStatus{5, 5, 4}, std::move(text)); }

bool set_once(bool& flag) { return !std::exchange(flag, true); }

// One word of NOTIFY's list; false where it is unknown or stands twice.
bool add_notify(mail::Notify& notify, std::string_view word) {
  if (mail::equal_ignoring_case(word, "SUCCESS")) return set_once(notify.success);
  if (mail::equal_ignoring_case(word, "FAILURE")) return set_once(notify.failure);
  if (mail::equal_ignoring_case(word, "DELAY")) return set_once(notify.delay);
  return false;
}

// "NEVER" / 1#notify-list-element (RFC 3461 §4.1)
Outcome set_notify(mail::Recipient& recipient, const Value& value) {
  recipient.notify.given = true;
  if (value && mail::equal_ignoring_case(*value, "NEVER")) {
    recipient.notify.never = true;
    return std::nullopt;
  }
  std::string_view left = value.value_or("");
  while (true) {
    const size_t comma = left.find(',');
    if (!add_notify(recipient.notify, left.substr(0, comma))) {
      return bad_value("NOTIFY is NEVER, or a list of SUCCESS, FAILURE and DELAY");
    }
    if (comma == std::string_view::npos) return std::nullopt;
    left.remove_prefix(comma + 1);
  }
}

// addr-type ";" xtext (RFC 3461 §4.2); for the type utf-8 one of the forms of RFC 6533 §3.
Outcome set_orcpt(mail::Recipient& recipient, const Value& value, bool smtputf8) {
  if (!value || value->size() > kMaxOrcpt) return bad_value("ORCPT takes 1 to 500 characters");
  const size_t semicolon = value->find(';');
  if (semicolon == 0 || semicolon == std::string_view::npos) return bad_value("ORCPT takes a type and an address");
  const std::string_view type = value->substr(0, semicolon);
  const std::string_view address = value->substr(semicolon + 1);
  const bool good_type = std::ranges::all_of(type, [](char c) { return mail::is_let_dig(c) || c == '-'; });
  const bool good_address =
      mail::equal_ignoring_case(type, "utf-8") ? is_utf8_address(address, smtputf8) : decode_xtext(address).has_value();
  if (!good_type || !good_address) return bad_value("ORCPT is malformed");
  recipient.orcpt = *value;
  return std::nullopt;
}

}  // namespace

std::expected<RcptCommand, Reply> parse_rcpt(std::string_view argument, const Offered& offered,
                                             bool smtputf8_transaction) {
  constexpr std::string_view kTo = "TO:";
  if (!mail::starts_ignoring_case(argument, kTo)) {
    return std::unexpected(Reply(501, EnhancedStatus{5, 5, 4}, "Syntax: RCPT TO:<address>"));
  }
  argument.remove_prefix(kTo.size());
  RcptCommand result;
  const size_t begin = std::min(argument.find_first_not_of(' '), argument.size());
  result.odd = begin > 0;
  argument.remove_prefix(begin);

  std::string_view rest;
  auto path = mail::parse_forward_path(argument, mail::Utf8::allowed, rest);
  if (!path) {
    return std::unexpected(Reply(501, EnhancedStatus{5, 1, 3}, "Bad recipient address: " + path.error().what));
  }
  const std::string_view path_text = argument.substr(0, argument.size() - rest.size());
  if (!smtputf8_transaction && !mail::is_ascii(path_text)) {  // RFC 6531 §3.5
    return std::unexpected(Reply(553, EnhancedStatus{5, 6, 7}, "Internationalised recipient address needs SMTPUTF8"));
  }
  result.recipient.mailbox = std::move(*path);
  const auto parameters = parse_parameters(rest);
  if (!parameters) return std::unexpected(parameters.error());
  for (const Parameter& parameter : *parameters) {
    Outcome refusal;
    if (offered.dsn && mail::equal_ignoring_case(parameter.keyword, "NOTIFY")) {
      refusal = set_notify(result.recipient, parameter.value);
    } else if (offered.dsn && mail::equal_ignoring_case(parameter.keyword, "ORCPT")) {
      refusal = set_orcpt(result.recipient, parameter.value, smtputf8_transaction);
    } else {
      refusal = Reply(555, EnhancedStatus{5, 5, 4}, "Unknown RCPT parameter");
    }
    if (refusal) return std::unexpected(std::move(*refusal));
  }
  return result;
}

}  // namespace doorward::smtp
