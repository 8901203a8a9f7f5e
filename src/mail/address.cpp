#include "mail/address.h"

#include <algorithm>
#include <utility>

#include "mail/ascii.h"
#include "mail/domain.h"
#include "mail/utf8.h"

namespace doorward::mail {
namespace {

constexpr size_t kMaxLocal = 64;  // octets (RFC 5321 §4.5.3.1.1)
constexpr size_t kMaxPath = 256;  // octets with brackets (RFC 5321 §4.5.3.1.3)

std::unexpected<SyntaxError> wrong(std::string what) { return std::unexpected(SyntaxError{std::move(what)}); }

// atext of RFC 5322 §3.2.3, ASCII only.
bool is_atext(char c) { return is_let_dig(c) || (c != '\0' && std::string_view("!#$%&'*+-/=?^_`{|}~").contains(c)); }

// The octets of the character at the front of `text` if it may stand in an atom; else 0.
size_t atext(std::string_view text, Utf8 utf8) {
  if (text.empty()) return 0;
  if (is_atext(text.front())) return 1;
  return utf8 == Utf8::allowed ? utf8_non_ascii(text) : 0;
}

// Dot-string = Atom *("." Atom)
Parsed<std::string> take_dot_string(std::string_view& text, Utf8 utf8) {
  size_t length = 0;
  bool in_atom = false;
  while (length < text.size()) {
    if (const size_t octets = atext(text.substr(length), utf8); octets > 0) {
      in_atom = true;
      length += octets;
    } else if (text[length] == '.') {
      if (!in_atom) return wrong(length == 0 ? "local part begins with a dot" : "local part has two dots in a row");
      in_atom = false;
      ++length;
    } else {
      break;
    }
    if (length > kMaxLocal) return wrong("local part is longer than 64 octets");
  }
  if (length == 0) return wrong("local part is missing or has a character that needs quoting");
  if (!in_atom) return wrong("local part ends with a dot");
  std::string result(text.substr(0, length));
  text.remove_prefix(length);
  return result;
}

// Quoted-string = DQUOTE *QcontentSMTP DQUOTE; the result is what it means.
Parsed<std::string> take_quoted_string(std::string_view& text, Utf8 utf8) {
  std::string result;
  size_t at = 1;
  while (at < text.size() && text[at] != '"') {
    if (at >= kMaxLocal) return wrong("local part is longer than 64 octets");
    size_t octets = 1;
    if (text[at] == '\\') {  // quoted-pairSMTP: a backslash and one printable ASCII character
      if (++at == text.size() || text[at] < ' ' || text[at] > '~') return wrong("malformed quoted pair in local part");
    } else if (text[at] < ' ' || text[at] > '~') {
      octets = utf8 == Utf8::allowed ? utf8_non_ascii(text.substr(at)) : 0;
      if (octets == 0) return wrong("quoted local part has a character that is not allowed");
    }
    result.append(text.substr(at, octets));
    at += octets;
  }
  if (at >= text.size()) return wrong("quoted local part without its closing quote");
  if (at + 1 > kMaxLocal) return wrong("local part is longer than 64 octets");
  text.remove_prefix(at + 1);
  return result;
}

Parsed<std::string> take_local_part(std::string_view& text, Utf8 utf8) {
  return text.starts_with('"') ? take_quoted_string(text, utf8) : take_dot_string(text, utf8);
}

Parsed<Mailbox> take_mailbox(std::string_view& text, Utf8 utf8) {
  const size_t whole = text.size();
  auto local = take_local_part(text, utf8);
  if (!local) return std::unexpected(std::move(local.error()));
  if (!text.starts_with('@')) return wrong("address has no @ after its local part");
  text.remove_prefix(1);
  auto domain = take_domain(text, utf8);
  if (!domain) return std::unexpected(std::move(domain.error()));
  if (whole - text.size() > kMaxPath - 2) return wrong("address is longer than 254 octets");
  return Mailbox{std::move(*local), std::move(*domain)};
}

// A-d-l ":" of RFC 5321 appendix C: "@one,@two:". It must be understood and should be ignored (§4.1.1.3).
Parsed<void> drop_source_route(std::string_view& text, Utf8 utf8) {
  if (!text.starts_with('@')) return {};
  while (true) {
    if (!text.starts_with('@')) return wrong("malformed source route");
    text.remove_prefix(1);
    const auto hop = take_domain(text, utf8);
    if (!hop) return std::unexpected(hop.error());
    if (text.starts_with(':')) break;
    if (!text.starts_with(',')) return wrong("malformed source route");
    text.remove_prefix(1);
  }
  text.remove_prefix(1);
  return {};
}

// Path = "<" [ A-d-l ":" ] Mailbox ">"
Parsed<Mailbox> take_path(std::string_view text, Utf8 utf8, std::string_view& rest) {
  std::string_view left = text;
  if (!left.starts_with('<')) return wrong("path does not begin with <");
  left.remove_prefix(1);
  if (auto route = drop_source_route(left, utf8); !route) return std::unexpected(std::move(route.error()));
  auto mailbox = take_mailbox(left, utf8);
  if (!mailbox) return mailbox;
  if (!left.starts_with('>')) return wrong("path does not end with > after the address");
  left.remove_prefix(1);
  if (text.size() - left.size() > kMaxPath) return wrong("path is longer than 256 octets");
  rest = left;
  return mailbox;
}

bool is_dot_string(std::string_view local) {
  bool in_atom = false;
  while (!local.empty()) {
    if (const size_t octets = atext(local, Utf8::allowed); octets > 0) {
      in_atom = true;
      local.remove_prefix(octets);
    } else if (local.front() == '.' && in_atom) {
      in_atom = false;
      local.remove_prefix(1);
    } else {
      return false;
    }
  }
  return in_atom;
}

// The fewest quotes that the grammar allows (RFC 5321 §4.1.2 asks for the unquoted form where there is one).
std::string requoted(std::string_view local) {
  if (is_dot_string(local)) return std::string(local);
  std::string result = "\"";
  for (const char c : local) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result += '"';
}

}  // namespace

std::string Mailbox::text() const {
  std::string result = requoted(local);
  if (!domain.empty()) result.append("@").append(domain.text());
  return result;
}

std::string Mailbox::key() const {
  std::string result = requoted(local);
  std::ranges::transform(result, result.begin(), to_lower);
  if (!domain.empty()) result.append("@").append(domain.key());
  return result;
}

bool Mailbox::is_ascii() const { return mail::is_ascii(local) && mail::is_ascii(domain.text()); }

Parsed<ReversePath> parse_reverse_path(std::string_view text, Utf8 utf8, std::string_view& rest) {
  if (text.starts_with("<>")) {
    rest = text.substr(2);
    return ReversePath{};
  }
  auto mailbox = take_path(text, utf8, rest);
  if (!mailbox) return std::unexpected(std::move(mailbox.error()));
  return ReversePath{std::move(*mailbox), false};
}

Parsed<Mailbox> parse_forward_path(std::string_view text, Utf8 utf8, std::string_view& rest) {
  constexpr std::string_view kPostmaster = "<Postmaster>";  // RFC 5321 §4.1.1.3, in any case
  if (starts_ignoring_case(text, kPostmaster)) {
    rest = text.substr(kPostmaster.size());
    return Mailbox{std::string(text.substr(1, kPostmaster.size() - 2)), Domain()};
  }
  return take_path(text, utf8, rest);
}

Parsed<Mailbox> parse_mailbox(std::string_view text, Utf8 utf8) {
  auto mailbox = take_mailbox(text, utf8);
  if (mailbox && !text.empty()) return wrong("characters after the address");
  return mailbox;
}

}  // namespace doorward::mail
