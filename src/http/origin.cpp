#include "http/origin.h"

#include <algorithm>
#include <charconv>

#include "mail/ascii.h"

namespace doorward::http {
namespace {

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= 253 && host.find_first_of("[]@\\%<>\"") == std::string_view::npos;
}

}  // namespace

Result<Origin> Origin::parse(std::string_view url) {
  Origin origin;
  const auto wrong = [&](const char* why) { return fail(why, std::string(url)); };
  if (!is_printable(url)) return wrong("a URL has neither blanks nor control characters, and no letters but ASCII's");
  if (mail::starts_ignoring_case(url, "https://")) {
    origin.tls = true;
    origin.port = 443;
    url.remove_prefix(8);
  } else if (mail::starts_ignoring_case(url, "http://")) {
    url.remove_prefix(7);
  } else {
    return wrong("a URL begins with https:// or http://");
  }
  if (url.find_first_of("?#") != std::string_view::npos) return wrong("no query and no fragment is taken here");
  const size_t slash = std::min(url.find('/'), url.size());
  std::string_view authority = url.substr(0, slash);
  origin.path = url.substr(slash);
  while (origin.path.ends_with('/')) origin.path.pop_back();
  const size_t colon = authority.rfind(':');
  const bool is_literal = authority.starts_with('[');
  if (colon != std::string_view::npos && (!is_literal || colon > authority.rfind(']'))) {
    const auto digits = authority.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), origin.port);
    if (error != std::errc{} || end != digits.data() + digits.size() || origin.port == 0) {
      return wrong("a port is a number from 1 to 65535");
    }
    authority = authority.substr(0, colon);
  }
  if (is_literal) {
    if (!authority.ends_with(']')) return wrong("an IPv6 address stands in brackets");
    authority = authority.substr(1, authority.size() - 2);
  }
  if (!is_host(authority)) return wrong("a URL needs a host");
  origin.host = mail::lowered(authority);
  return origin;
}

std::string Origin::host_header() const {
  const std::string name = host.contains(':') ? "[" + host + "]" : host;
  return port == (tls ? 443 : 80) ? name : name + ":" + std::to_string(port);
}

}  // namespace doorward::http
