#include <algorithm>
#include <array>
#include <string>

#include "filter/link_target.h"
#include "filter/shown_address.h"
#include "filter/structure_signs.h"
#include "mail/ascii.h"

namespace doorward::filter {
namespace {

constexpr size_t kMostLinks = 300;  // looked at
constexpr size_t kShownText = 200;  // bytes of a link's text looked at

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

void check_target(Signs& signs, const mime::Link& link, const LinkTarget& target) {
  const std::string host = mail::lowered(target.host);
  if (is_ip_host(host)) signs.found(Sign::link_ip, link.url);
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
