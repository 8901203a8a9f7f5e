#include <algorithm>
#include <array>
#include <string>

#include "filter/shown_address.h"
#include "filter/structure_signs.h"
#include "mail/ascii.h"

namespace doorward::filter {
namespace {

constexpr size_t kMostLinks = 300;  // looked at
constexpr size_t kShownText = 200;  // bytes of a link's text looked at

struct Target {
  std::string_view user_info, host, port;
};

// The authority of an http or https URL as browsers take it: a backslash is a slash, user info ends at the last @.
std::optional<Target> target_of(std::string_view url) {
  if (mail::starts_ignoring_case(url, "http://")) {
    url.remove_prefix(7);
  } else if (mail::starts_ignoring_case(url, "https://")) {
    url.remove_prefix(8);
  } else {
    return std::nullopt;
  }
  std::string_view authority = url.substr(0, url.find_first_of("/\\?#"));
  Target target;
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    target.user_info = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  const size_t bracket = authority.find(']');
  const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  target.host = authority.substr(0, colon);
  if (colon != std::string_view::npos) target.port = authority.substr(colon + 1);
  return target;
}

// Dotted, in one number, octal or hexadecimal, as browsers take them (WHATWG URL, §3.5): the last label is a number.
bool is_ip(std::string_view host) {
  if (host.starts_with('[')) return true;
  while (host.ends_with('.')) host.remove_suffix(1);
  const size_t dot = host.rfind('.');
  const auto last = host.substr(dot == std::string_view::npos ? 0 : dot + 1);
  if (last.empty()) return false;
  if (mail::starts_ignoring_case(last, "0x")) return std::ranges::all_of(last.substr(2), mail::is_hex);
  return std::ranges::all_of(last, mail::is_digit);
}

// The host that a link's text promises: "www.bank.example/login", "https://bank.example", "bank.example"; or nothing.
std::string promised_host(std::string_view shown) {
  shown = shown.substr(0, kShownText);
  bool is_url = false;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (mail::starts_ignoring_case(shown, scheme)) {
      shown.remove_prefix(scheme.size());
      is_url = true;
    }
  }
  is_url |= mail::starts_ignoring_case(shown, "www.");
  const size_t end = shown.find_first_of("/?#: \t\n");
  if (end != std::string_view::npos && (shown[end] == ' ' || shown[end] == '\t' || shown[end] == '\n') && !is_url)
    return {};
  const auto host = shown.substr(0, end);
  const size_t dot = host.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || host.contains('@')) return {};
  const auto top = host.substr(dot + 1);
  if (top.size() < 2 || !std::ranges::all_of(top, mail::is_alpha)) return {};
  if (!std::ranges::all_of(host, [](char c) { return mail::is_let_dig(c) || c == '.' || c == '-'; })) return {};
  // "Node.js" and "report.pdf" are no hosts: a bare word counts with the commonest endings only.
  constexpr std::array kCommon =
      std::to_array<std::string_view>({"com", "net", "org", "de", "nl", "uk", "at", "ch", "fr", "eu", "info", "gov"});
  std::string lower = mail::lowered(host);
  if (!is_url && std::ranges::find(kCommon, std::string_view(lower).substr(dot + 1)) == kCommon.end()) return {};
  return lower;
}

void check_target(Signs& signs, const mime::Link& link, const Target& target) {
  const std::string host = mail::lowered(target.host);
  if (is_ip(host)) signs.found(Sign::link_ip, link.url);
  if (!target.user_info.empty()) signs.found(Sign::link_user_info, link.url);
  if (!target.port.empty() && target.port != "80" && target.port != "443") signs.found(Sign::link_port, link.url);
  if (host.starts_with("xn--") || host.contains(".xn--")) signs.found(Sign::link_punycode, link.url);
  if (link.source != mime::LinkSource::html_href || signs.has(Sign::link_shows_other_domain)) return;
  const std::string promised = promised_host(link.shown);
  if (!promised.empty() && owner_domain(promised) != owner_domain(host)) {
    signs.found(Sign::link_shows_other_domain, promised + " goes to " + host);
  }
}

}  // namespace

void check_links(Signs& signs) {
  const auto links = signs.message().links();
  for (const mime::Link& link : links.first(std::min(links.size(), kMostLinks))) {
    if (const auto target = target_of(link.url)) {
      check_target(signs, link, *target);
    } else if (link.source == mime::LinkSource::html_href &&
               (mail::starts_ignoring_case(link.url, "javascript:") ||
                mail::starts_ignoring_case(link.url, "vbscript:") || mail::starts_ignoring_case(link.url, "data:"))) {
      signs.found(Sign::link_odd_scheme, link.url);
    }
  }
}

}  // namespace doorward::filter
