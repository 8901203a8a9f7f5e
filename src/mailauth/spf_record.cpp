#include "mailauth/spf_record.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "mail/ascii.h"
#include "mailauth/spf_macro.h"

namespace doorward::mailauth {
namespace {

constexpr std::string_view kVersion = "v=spf1";
constexpr size_t kQuoted = 80;  // octets of a term that an error shows

constexpr std::array<std::pair<std::string_view, SpfMechanism>, 8> kMechanisms{{{"all", SpfMechanism::all},
                                                                                {"include", SpfMechanism::include},
                                                                                {"a", SpfMechanism::a},
                                                                                {"mx", SpfMechanism::mx},
                                                                                {"ptr", SpfMechanism::ptr},
                                                                                {"ip4", SpfMechanism::ip4},
                                                                                {"ip6", SpfMechanism::ip6},
                                                                                {"exists", SpfMechanism::exists}}};

std::string wrong(std::string_view term, std::string_view what) {
  std::string text = "\"";
  for (const char c : term.substr(0, kQuoted)) text += c >= ' ' && c < 0x7F ? c : '?';
  if (term.size() > kQuoted) text += "...";
  return text.append("\": ").append(what);
}

bool is_name_char(char c) { return mail::is_let_dig(c) || c == '-' || c == '_' || c == '.'; }

// A prefix length: no leading zero, at most `most` (RFC 7208 §5.6).
std::optional<uint8_t> bits_of(std::string_view digits, unsigned most) {
  if (digits.empty() || digits.size() > 3 || !std::ranges::all_of(digits, mail::is_digit)) return std::nullopt;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  unsigned value = 0;
  for (const char c : digits) value = value * 10 + static_cast<unsigned>(c - '0');
  if (value > most) return std::nullopt;
  return static_cast<uint8_t>(value);
}

// Where "/" and digits alone end `text`: the place of that slash.
size_t trailing_length(std::string_view text) {
  size_t start = text.size();
  while (start > 0 && mail::is_digit(text[start - 1])) --start;
  if (start == text.size() || start == 0 || text[start - 1] != '/') return std::string_view::npos;
  return start - 1;
}

// Takes dual-cidr-length off the end of `text`: a domain-spec may hold slashes itself (RFC 7208 §5.3, §7.1).
bool take_lengths(std::string_view& text, SpfTerm& term) {
  size_t slash = trailing_length(text);
  if (slash == std::string_view::npos) return true;
  if (slash > 0 && text[slash - 1] == '/') {
    const auto bits = bits_of(text.substr(slash + 1), 128);
    if (!bits) return false;
    term.ip6_bits = *bits;
    text = text.substr(0, slash - 1);
    slash = trailing_length(text);
    if (slash == std::string_view::npos) return true;
  }
  const auto bits = bits_of(text.substr(slash + 1), 32);
  if (!bits) return false;
  term.ip4_bits = *bits;
  text = text.substr(0, slash);
  return true;
}

// ":" domain-spec, behind which nothing is left.
bool take_domain_spec(std::string_view text, SpfTerm& term) {
  if (!text.starts_with(':')) return false;
  term.domain_spec = text.substr(1);
  return is_domain_spec(term.domain_spec);
}

// ":" network [ "/" bits ] of ip4 and ip6 (RFC 7208 §5.6).
bool take_network(std::string_view text, SpfTerm& term) {
  const bool v4 = term.mechanism == SpfMechanism::ip4;
  if (!text.starts_with(':')) return false;
  text.remove_prefix(1);
  const size_t slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  if ((address.find(':') == std::string_view::npos) != v4) return false;
  const auto base = mail::IpAddress::parse(address);
  if (!base) return false;
  unsigned bits = v4 ? 32 : 128;
  if (slash != std::string_view::npos) {
    const auto given = bits_of(text.substr(slash + 1), bits);
    if (!given) return false;
    bits = *given;
  }
  term.network = mail::Network(*base, v4 ? 96 + bits : bits);
  return true;
}

bool take_arguments(std::string_view rest, SpfTerm& term) {
  switch (term.mechanism) {
    case SpfMechanism::all:
      return rest.empty();
    case SpfMechanism::include:
    case SpfMechanism::exists:
      return take_domain_spec(rest, term);
    case SpfMechanism::ptr:
      return rest.empty() || take_domain_spec(rest, term);
    case SpfMechanism::a:
    case SpfMechanism::mx:
      return take_lengths(rest, term) && (rest.empty() || take_domain_spec(rest, term));
    case SpfMechanism::ip4:
    case SpfMechanism::ip6:
      return take_network(rest, term);
  }
  return false;
}

std::optional<Result> qualifier_of(char c) {
  switch (c) {
    case '+':
      return Result::pass;
    case '-':
      return Result::fail;
    case '~':
      return Result::softfail;
    case '?':
      return Result::neutral;
    default:
      return std::nullopt;
  }
}

std::expected<SpfTerm, std::string> parse_directive(std::string_view text) {
  SpfTerm term;
  term.text = text;
  if (const auto qualifier = qualifier_of(text.front())) {
    term.qualifier = *qualifier;
    text.remove_prefix(1);
  }
  const std::string_view name = text.substr(0, std::min(text.find_first_of(":/"), text.size()));
  const auto* known = std::ranges::find_if(
      kMechanisms, [name](const auto& mechanism) { return mail::equal_ignoring_case(name, mechanism.first); });
  if (known == kMechanisms.end()) return std::unexpected(wrong(term.text, "no mechanism of SPF"));
  term.mechanism = known->second;
  if (!take_arguments(text.substr(name.size()), term)) return std::unexpected(wrong(term.text, "malformed"));
  return term;
}

// The octets of a modifier's name in front of "="; 0 where `text` is no modifier (RFC 7208 §4.6.1).
size_t modifier_name(std::string_view text) {
  const size_t end = text.find('=');
  if (end == std::string_view::npos || end == 0 || !mail::is_alpha(text.front())) return 0;
  return std::ranges::all_of(text.substr(0, end), is_name_char) ? end : 0;
}

std::optional<std::string> set_modifier(SpfRecord& record, std::string_view text, size_t name_length) {
  const std::string_view name = text.substr(0, name_length);
  const std::string_view value = text.substr(name_length + 1);
  const bool redirect = mail::equal_ignoring_case(name, "redirect");
  if (!redirect && !mail::equal_ignoring_case(name, "exp")) {
    // Unknown ones are ignored, and yet must be well-formed (RFC 7208 §6).
    if (!is_macro_string(value, SpfMacroUse::domain)) return wrong(text, "malformed");
    return std::nullopt;
  }
  std::string_view& known = redirect ? record.redirect : record.explanation;
  if (!known.empty()) return wrong(text, "a second time");
  if (!is_domain_spec(value)) return wrong(text, "malformed");
  known = value;
  return std::nullopt;
}

}  // namespace

bool is_spf_record(std::string_view text) {
  return mail::starts_ignoring_case(text, kVersion) && (text.size() == kVersion.size() || text[kVersion.size()] == ' ');
}

std::expected<SpfRecord, std::string> parse_spf_record(std::string_view text) {
  SpfRecord record;
  text.remove_prefix(std::min(text.size(), kVersion.size()));
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) return record;
    const std::string_view term = text.substr(0, text.find(' '));
    text.remove_prefix(term.size());
    if (const size_t name = modifier_name(term); name > 0) {
      if (auto error = set_modifier(record, term, name)) return std::unexpected(std::move(*error));
      continue;
    }
    auto directive = parse_directive(term);
    if (!directive) return std::unexpected(std::move(directive.error()));
    record.terms.push_back(*directive);
  }
}

}  // namespace doorward::mailauth
