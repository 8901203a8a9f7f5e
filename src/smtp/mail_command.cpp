// MAIL: RFC 5321 §4.1.1.2 and the parameters of SIZE (RFC 1870), 8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531), DSN
// (RFC 3461), AUTH (RFC 4954), REQUIRETLS (RFC 8689) and PRDR (draft-hall-prdr).
#include <algorithm>
#include <array>
#include <limits>

#include "mail/ascii.h"
#include "mail/utf8.h"
#include "smtp/command.h"
#include "smtp/parameters.h"
#include "smtp/xtext.h"

namespace doorward::smtp {
namespace {

constexpr size_t kMaxEnvid = 100;  // RFC 3461 §4.4

using Outcome = std::optional<Reply>;  // a refusal, if there is one
using Value = std::optional<std::string_view>;

Outcome bad_value(std::string text) { return Reply(501, EnhancedStatus{5, 5, 4}, std::move(text)); }

Outcome set_flag(bool& flag, const Value& value, const char* name) {
  if (value) return bad_value(std::string(name) + " takes no value");
  flag = true;
  return std::nullopt;
}

Outcome set_size(MailCommand& mail, const Value& value, const Offered& offered) {
  if (!value || value->size() > 20 || !std::ranges::all_of(*value, mail::is_digit)) {
    return bad_value("SIZE takes a number of octets");  // size-value = 1*20DIGIT (RFC 1870 §4)
  }
  uint64_t size = 0;
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  for (const char c : *value) {
    const auto digit = static_cast<uint64_t>(c - '0');
    size = size > (kMost - digit) / 10 ? kMost : size * 10 + digit;
  }
  if (offered.size_limit > 0 && size > offered.size_limit) {
    return Reply(552, EnhancedStatus{5, 3, 4}, "Message is larger than this server takes");
  }
  mail.size = size;
  return std::nullopt;
}

Outcome set_body(MailCommand& mail, const Value& value) {
  if (value && mail::equal_ignoring_case(*value, "8BITMIME")) {
    mail.body = mail::Body::eight_bit_mime;
  } else if (!value || !mail::equal_ignoring_case(*value, "7BIT")) {
    return bad_value("BODY is 7BIT or 8BITMIME");  // BINARYMIME (RFC 3030) is not offered
  }
  return std::nullopt;
}

Outcome set_ret(MailCommand& mail, const Value& value) {
  if (value && mail::equal_ignoring_case(*value, "FULL")) {
    mail.ret = mail::DsnReturn::full;
  } else if (value && mail::equal_ignoring_case(*value, "HDRS")) {
    mail.ret = mail::DsnReturn::headers;
  } else {
    return bad_value("RET is FULL or HDRS");
  }
  return std::nullopt;
}

Outcome set_envid(MailCommand& mail, const Value& value) {
  if (!value || value->size() > kMaxEnvid) return bad_value("ENVID takes 1 to 100 characters");
  const auto decoded = decode_xtext(*value);
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };  // RFC 3461 §4.4
  if (!decoded || !std::ranges::all_of(*decoded, printable)) return bad_value("ENVID is not xtext");
  mail.envid = *value;
  return std::nullopt;
}

// AUTH=<> or an address as xtext (RFC 4954 §5). It is checked and forgotten: nobody here is trusted to say it.
Outcome check_auth(const Value& value) {
  if (!value || (*value != "<>" && !decode_xtext(*value))) return bad_value("AUTH takes <> or an address as xtext");
  return std::nullopt;
}

Outcome apply(MailCommand& mail, const Parameter& parameter, const Offered& offered) {
  const auto is = [&](std::string_view keyword) { return mail::equal_ignoring_case(parameter.keyword, keyword); };
  if (offered.size && is("SIZE")) return set_size(mail, parameter.value, offered);
  if (offered.eight_bit_mime && is("BODY")) return set_body(mail, parameter.value);
  if (offered.smtputf8 && is("SMTPUTF8")) return set_flag(mail.smtputf8, parameter.value, "SMTPUTF8");
  if (offered.dsn && is("RET")) return set_ret(mail, parameter.value);
  if (offered.dsn && is("ENVID")) return set_envid(mail, parameter.value);
  if (offered.requiretls && is("REQUIRETLS")) return set_flag(mail.require_tls, parameter.value, "REQUIRETLS");
  if (offered.prdr && is("PRDR")) return set_flag(mail.prdr, parameter.value, "PRDR");
  if (is("AUTH")) return check_auth(parameter.value);
  return Reply(555, EnhancedStatus{5, 5, 4}, "Unknown MAIL parameter");
}

}  // namespace

std::expected<MailCommand, Reply> parse_mail(std::string_view argument, const Offered& offered) {
  constexpr std::string_view kFrom = "FROM:";
  if (!mail::starts_ignoring_case(argument, kFrom)) {
    return std::unexpected(Reply(501, EnhancedStatus{5, 5, 4}, "Syntax: MAIL FROM:<address>"));
  }
  argument.remove_prefix(kFrom.size());
  MailCommand result;
  const size_t begin = std::min(argument.find_first_not_of(' '), argument.size());
  result.odd = begin > 0;
  argument.remove_prefix(begin);

  std::string_view rest;
  // UTF-8 is always understood, so that its sender is told what is missing rather than that its address is wrong.
  auto path = mail::parse_reverse_path(argument, mail::Utf8::allowed, rest);
  if (!path) {
    return std::unexpected(Reply(501, EnhancedStatus{5, 1, 7}, "Bad sender address: " + path.error().what));
  }
  result.path = std::move(*path);
  const auto parameters = parse_parameters(rest);
  if (!parameters) return std::unexpected(parameters.error());
  for (const Parameter& parameter : *parameters) {
    if (auto refusal = apply(result, parameter, offered)) return std::unexpected(std::move(*refusal));
  }
  const std::string_view path_text = argument.substr(0, argument.size() - rest.size());
  if (!result.smtputf8 && !mail::is_ascii(path_text)) {  // RFC 6531 §3.5
    return std::unexpected(Reply(553, EnhancedStatus{5, 6, 7}, "Internationalised sender address needs SMTPUTF8"));
  }
  return result;
}

}  // namespace doorward::smtp
