#include "filter/shown_address.h"

#include <algorithm>
#include <array>

#include "mail/ascii.h"

namespace doorward::filter {
namespace {

constexpr size_t kMostBytes = 2000;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kAround = " \t\r\n\"'<>();,";
  const size_t first = text.find_first_not_of(kAround);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kAround) - first + 1);
}

constexpr bool is_address_character(char c) {
  return mail::is_let_dig(c) || std::string_view(".-_+=").contains(c) || static_cast<unsigned char>(c) >= 128;
}

}  // namespace

ShownAddress first_address(std::string_view field) {
  field = field.substr(0, kMostBytes);
  ShownAddress shown;
  // An angle bracket within a quoted name is part of the name.
  bool quoted = false;
  for (size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '\\') {
      ++i;
    } else if (field[i] == '"') {
      quoted = !quoted;
    } else if (field[i] == '<' && !quoted) {
      const size_t end = field.find('>', i);
      shown.name = std::string(trimmed(field.substr(0, i)));
      const auto inside = trimmed(field.substr(i + 1, end == std::string_view::npos ? end : end - i - 1));
      if (inside.contains('@')) shown.address = mail::lowered(inside);
      return shown;
    }
  }
  shown.address = address_within(field);
  const size_t comment = field.find('(');
  if (comment != std::string_view::npos) shown.name = std::string(trimmed(field.substr(comment)));
  return shown;
}

std::string address_within(std::string_view text) {
  text = text.substr(0, kMostBytes);
  for (size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    size_t begin = at;
    size_t end = at + 1;
    while (begin > 0 && is_address_character(text[begin - 1])) --begin;
    while (end < text.size() && is_address_character(text[end])) ++end;
    while (end > at + 1 && text[end - 1] == '.') --end;
    const auto domain = text.substr(at + 1, end - at - 1);
    if (begin < at && domain.size() > 2) return mail::lowered(text.substr(begin, end - begin));
  }
  return {};
}

std::string_view owner_domain(std::string_view host) {
  while (host.ends_with('.')) host.remove_suffix(1);
  const size_t last = host.rfind('.');
  if (last == std::string_view::npos || last == 0) return host;
  size_t second = host.rfind('.', last - 1);
  const std::string_view middle = host.substr(second == std::string_view::npos ? 0 : second + 1,
                                              last - (second == std::string_view::npos ? 0 : second + 1));
  // "co.uk", "com.br", "ac.at": a short second level under a country's domain is no owner.
  const bool country = host.size() - last == 3 && middle.size() <= 3;
  if (country && second != std::string_view::npos && second > 0) second = host.rfind('.', second - 1);
  return second == std::string_view::npos ? host : host.substr(second + 1);
}

bool is_freemail(std::string_view domain) {
  static constexpr std::array kDomains = std::to_array<std::string_view>(
      {"aol.com",        "caramail.com", "email.com",      "excite.com",  "fastmail.com",   "freenet.de",
       "gmail.com",      "gmx.at",       "gmx.ch",         "gmx.com",     "gmx.de",         "gmx.net",
       "googlemail.com", "hotmail.com",  "hotmail.de",     "hotmail.fr",  "hotmail.co.uk",  "icloud.com",
       "laposte.net",    "libero.it",    "live.com",       "live.nl",     "lycos.com",      "mail.com",
       "mail.ru",        "msn.com",      "netscape.net",   "online.de",   "orange.fr",      "outlook.com",
       "outlook.de",     "proton.me",    "protonmail.com", "qq.com",      "rediffmail.com", "t-online.de",
       "tutanota.com",   "web.de",       "yahoo.co.jp",    "yahoo.co.uk", "yahoo.com",      "yahoo.de",
       "yahoo.fr",       "yandex.com",   "yandex.ru",      "ziggo.nl",    "zoho.com",       "163.com",
       "126.com"});
  return std::ranges::find(kDomains, domain) != kDomains.end();
}

}  // namespace doorward::filter
