#include "filter/link_target.h"

#include <algorithm>
#include <array>

#include "mail/ascii.h"

namespace doorward::filter {
namespace {

constexpr int kMostRedirectors = 4;  // one behind the other
constexpr size_t kLongestUrl = 4096;

struct Redirector {
  std::string_view host;   // itself or what is below it
  std::string_view path;   // how the path begins
  std::string_view query;  // the parameter that holds the target
};
constexpr std::array kRedirectors{
    Redirector{"google.com", "/url", "q"},
    Redirector{"google.com", "/url", "url"},
    Redirector{"googleadservices.com", "/pagead/aclk", "adurl"},
    Redirector{"youtube.com", "/redirect", "q"},
    Redirector{"bing.com", "/ck/a", "url"},
    Redirector{"duckduckgo.com", "/l/", "uddg"},
    Redirector{"facebook.com", "/l.php", "u"},
    Redirector{"instagram.com", "/", "u"},
    Redirector{"linkedin.com", "/redir/redirect", "url"},
    Redirector{"slack-redir.net", "/link", "url"},
    Redirector{"steamcommunity.com", "/linkfilter/", "url"},
    Redirector{"t.umblr.com", "/redirect", "z"},
    Redirector{"vk.com", "/away.php", "to"},
    Redirector{"safelinks.protection.outlook.com", "/", "url"},
    Redirector{"urldefense.proofpoint.com", "/v1/", "u"},
    Redirector{"linkprotect.cudasvc.com", "/url", "a"},
    Redirector{"protect.checkpoint.com", "/v2/", "u"},
};

constexpr std::array<std::string_view, 24> kShorteners{
    "bit.ly",      "buff.ly",    "cutt.ly", "goo.gl",      "is.gd",  "j.mp", "lnkd.in", "ow.ly",
    "rb.gy",       "rebrand.ly", "s.id",    "shorturl.at", "soo.gd", "t.co", "t.ly",    "tiny.cc",
    "tinyurl.com", "tr.im",      "u.to",    "v.gd",        "wp.me",  "x.co", "bl.ink",  "short.io"};

bool is_at_or_below(std::string_view host, std::string_view domain) {
  if (host.size() < domain.size()) return false;
  const size_t at = host.size() - domain.size();
  return mail::equal_ignoring_case(host.substr(at), domain) && (at == 0 || host[at - 1] == '.');
}

int hex(char c) {
  if (mail::is_digit(c)) return c - '0';
  c = mail::to_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

// The value of a parameter of the query, decoded; empty where it is not there.
std::string parameter(std::string_view rest, std::string_view name) {
  const size_t begin = rest.find('?');
  if (begin == std::string_view::npos) return {};
  std::string_view query = rest.substr(begin + 1);
  query = query.substr(0, query.find('#'));
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
      return percent_decoded(pair.substr(name.size() + 1));
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return {};
}

std::string behind(std::string_view url) {
  const auto target = target_of(url);
  if (!target) return {};
  for (const Redirector& each : kRedirectors) {
    if (!is_at_or_below(target->host, each.host)) continue;
    if (!mail::starts_ignoring_case(target->rest, each.path)) continue;
    std::string next = parameter(target->rest, each.query);
    if (target_of(next)) return next;
  }
  return {};
}

}  // namespace

std::optional<LinkTarget> target_of(std::string_view url) {
  if (mail::starts_ignoring_case(url, "http://")) {
    url.remove_prefix(7);
  } else if (mail::starts_ignoring_case(url, "https://")) {
    url.remove_prefix(8);
  } else {
    return std::nullopt;
  }
  const size_t end = std::min(url.find_first_of("/\\?#"), url.size());
  std::string_view authority = url.substr(0, end);
  LinkTarget target;
  target.rest = url.substr(end);
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

bool is_ip_host(std::string_view host) {
  if (host.starts_with('[')) return true;
  while (host.ends_with('.')) host.remove_suffix(1);
  const size_t dot = host.rfind('.');
  const auto last = host.substr(dot == std::string_view::npos ? 0 : dot + 1);
  if (last.empty()) return false;
  if (mail::starts_ignoring_case(last, "0x")) return std::ranges::all_of(last.substr(2), mail::is_hex);
  return std::ranges::all_of(last, mail::is_digit);
}

std::string behind_redirectors(std::string_view url) {
  std::string at(url.substr(0, kLongestUrl));
  for (int i = 0; i < kMostRedirectors; ++i) {
    std::string next = behind(at);
    if (next.empty()) break;
    at = std::move(next);
  }
  return at;
}

bool is_shortener(std::string_view host) {
  return std::ranges::any_of(kShorteners, [&](std::string_view each) { return mail::equal_ignoring_case(each, host); });
}

}  // namespace doorward::filter
