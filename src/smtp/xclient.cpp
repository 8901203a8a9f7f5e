// XCLIENT: 1*(SP attribute-name "=" attribute-value), values as xtext (www.postfix.org/XCLIENT_README.html).
#include <algorithm>
#include <charconv>

#include "mail/ascii.h"
#include "smtp/command.h"
#include "smtp/xtext.h"

namespace doorward::smtp {
namespace {

constexpr size_t kMaxName = 255;

std::unexpected<Reply> bad(std::string text) {
  return std::unexpected(Reply(501, EnhancedStatus{5, 5, 4}, std::move(text)));
}

bool unavailable(std::string_view value) {
  return mail::equal_ignoring_case(value, "[UNAVAILABLE]") || mail::equal_ignoring_case(value, "[TEMPUNAVAIL]");
}

bool set_text(std::optional<std::string>& to, std::string_view value) {
  if (to) return false;
  if (unavailable(value)) value = {};
  to = value;
  return value.size() <= kMaxName && std::ranges::all_of(value, [](char c) { return c > ' ' && c != 0x7F; });
}

// "192.0.2.1", or "IPV6:2001:db8::1".
bool set_address(std::optional<mail::IpAddress>& to, std::string_view value) {
  if (to) return false;
  if (unavailable(value)) {
    to = mail::IpAddress();
    return true;
  }
  if (mail::starts_ignoring_case(value, "IPV6:")) value.remove_prefix(5);
  to = mail::IpAddress::parse(value);
  return to.has_value();
}

bool set_port(std::optional<uint16_t>& to, std::string_view value) {
  if (to) return false;
  uint16_t port = 0;
  if (!unavailable(value)) {
    const char* const end = value.data() + value.size();
    const auto [after, error] = std::from_chars(value.data(), end, port);
    if (error != std::errc{} || after != end) return false;
  }
  to = port;
  return true;
}

bool set_protocol(std::optional<bool>& to, std::string_view value) {
  if (to) return false;
  to = mail::equal_ignoring_case(value, "ESMTP");
  return *to || mail::equal_ignoring_case(value, "SMTP");
}

bool apply(XclientCommand& command, std::string_view name, std::string_view value) {
  const auto is = [&](std::string_view known) { return mail::equal_ignoring_case(name, known); };
  if (is("NAME")) {
    command.name_temporary_failure = mail::equal_ignoring_case(value, "[TEMPUNAVAIL]");
    return set_text(command.name, value);
  }
  if (is("HELO")) return set_text(command.helo, value);
  if (is("LOGIN")) return set_text(command.login, value);
  if (is("ADDR")) return set_address(command.address, value);
  if (is("DESTADDR")) return set_address(command.destination_address, value);
  if (is("PORT")) return set_port(command.port, value);
  if (is("DESTPORT")) return set_port(command.destination_port, value);
  if (is("PROTO")) return set_protocol(command.esmtp, value);
  return false;
}

}  // namespace

std::expected<XclientCommand, Reply> parse_xclient(std::string_view argument) {
  XclientCommand result;
  if (argument.empty()) return bad("XCLIENT needs attributes");
  while (!argument.empty()) {
    const std::string_view word = argument.substr(0, argument.find(' '));
    argument.remove_prefix(word.size());
    argument.remove_prefix(std::min(argument.find_first_not_of(' '), argument.size()));
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos) return bad("Malformed XCLIENT attribute");
    const auto value = decode_xtext(word.substr(equals + 1));
    if (!value || !apply(result, word.substr(0, equals), *value)) return bad("Bad XCLIENT attribute or value");
  }
  return result;
}

}  // namespace doorward::smtp
