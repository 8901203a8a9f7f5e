#include "mail/domain.h"

#include <unicode/uidna.h>

#include <algorithm>
#include <utility>

#include "base/handle.h"
#include "mail/ascii.h"
#include "mail/ip.h"
#include "mail/utf8.h"

namespace doorward::mail {
namespace {

std::unexpected<SyntaxError> wrong(std::string what) { return std::unexpected(SyntaxError{std::move(what)}); }

const UIDNA* uts46() {
  static const Handle<UIDNA, uidna_close> instance = [] {
    UErrorCode error = U_ZERO_ERROR;
    return Handle<UIDNA, uidna_close>(uidna_openUTS46(UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
                                                          UIDNA_NONTRANSITIONAL_TO_ASCII |
                                                          UIDNA_NONTRANSITIONAL_TO_UNICODE,
                                                      &error));
  }();
  return instance.get();
}

// Snum of RFC 5321 §4.1.3: one to three digits, at most 255.
bool take_snum(std::string_view& text) {
  unsigned value = 0;
  size_t digits = 0;
  while (digits < text.size() && digits < 3 && is_digit(text[digits])) {
    value = value * 10 + static_cast<unsigned>(text[digits++] - '0');
  }
  text.remove_prefix(digits);
  return digits > 0 && value <= 255;
}

bool is_ipv4_literal(std::string_view text) {
  for (int i = 0; i < 4; ++i) {
    if (i > 0) {
      if (!text.starts_with('.')) return false;
      text.remove_prefix(1);
    }
    if (!take_snum(text)) return false;
  }
  return text.empty();
}

// Counts the 16-bit groups of a part of an IPv6 literal; an IPv4 end counts two. -1: malformed.
int count_groups(std::string_view part, bool may_end_in_ipv4) {
  if (part.empty()) return 0;
  int groups = 0;
  while (true) {
    const size_t colon = part.find(':');
    const std::string_view group = part.substr(0, colon);
    const bool last = colon == std::string_view::npos;
    if (last && may_end_in_ipv4 && group.find('.') != std::string_view::npos) {
      return is_ipv4_literal(group) ? groups + 2 : -1;
    }
    if (group.empty() || group.size() > 4 || !std::ranges::all_of(group, is_hex)) return -1;
    ++groups;
    if (last) return groups;
    part.remove_prefix(colon + 1);
  }
}

// IPv6-addr of RFC 5321 §4.1.3: eight groups, or at most six beside a "::", which stands for two at least.
bool is_ipv6_literal(std::string_view text) {
  const size_t gap = text.find("::");
  if (gap == std::string_view::npos) return count_groups(text, true) == 8;
  const int before = count_groups(text.substr(0, gap), false);
  const int after = count_groups(text.substr(gap + 2), true);
  return before >= 0 && after >= 0 && before + after <= 6;
}

// General-address-literal: a tag of letters, digits and hyphens that ends in a letter or digit, and any dcontent.
bool is_general_literal(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return false;
  const std::string_view tag = text.substr(0, colon);
  return is_let_dig(tag.back()) && std::ranges::all_of(tag, [](char c) { return is_let_dig(c) || c == '-'; }) &&
         std::ranges::all_of(text.substr(colon + 1),
                             [](char c) { return c > ' ' && c < 0x7F && c != '[' && c != '\\' && c != ']'; });
}

Parsed<Domain> take_literal(std::string_view& text) {
  const size_t end = text.find(']');
  if (end == std::string_view::npos) return wrong("address literal without its closing bracket");
  if (end + 1 > kMaxDomain) return wrong("address literal is longer than 255 octets");
  const std::string_view inner = text.substr(1, end - 1);
  constexpr std::string_view kV6 = "IPv6:";
  const bool good = starts_ignoring_case(inner, kV6) ? is_ipv6_literal(inner.substr(kV6.size()))
                                                     : is_ipv4_literal(inner) || is_general_literal(inner);
  if (!good) return wrong("malformed address literal");
  Domain result(std::string(text.substr(0, end + 1)));
  text.remove_prefix(end + 1);
  return result;
}

// The octets at the front of `text` that one label may consist of: Ldh-str, or U-label where it is allowed.
size_t label_length(std::string_view text, Utf8 utf8) {
  size_t length = 0;
  while (length < text.size()) {
    const char c = text[length];
    if (is_let_dig(c) || c == '-') {
      ++length;
    } else if (const size_t octets = utf8 == Utf8::allowed ? utf8_non_ascii(text.substr(length)) : 0; octets > 0) {
      length += octets;
    } else {
      break;
    }
  }
  return length;
}

// The address of an address literal as one form, so that two ways to write it compare equal.
std::string literal_key(std::string_view text) {
  std::string_view inner = text.substr(1, text.size() - 2);
  if (starts_ignoring_case(inner, "IPv6:")) inner.remove_prefix(5);
  const auto ip = IpAddress::parse(inner);
  return lowered(ip ? ip->literal() : std::string(text));
}

}  // namespace

std::optional<std::string> to_ascii(std::string_view name) {
  if (is_ascii(name)) return lowered(name);
  if (name.size() > 4 * kMaxDomain || uts46() == nullptr) return std::nullopt;
  char encoded[kMaxDomain + 2];
  UIDNAInfo info = UIDNA_INFO_INITIALIZER;
  UErrorCode error = U_ZERO_ERROR;
  const int32_t length = uidna_nameToASCII_UTF8(uts46(), name.data(), static_cast<int32_t>(name.size()), encoded,
                                                sizeof encoded, &info, &error);
  if (U_FAILURE(error) != 0 || info.errors != 0 || length <= 0 || length > static_cast<int32_t>(kMaxDomain)) {
    return std::nullopt;
  }
  const std::string_view result(encoded, static_cast<size_t>(length));
  // UTS #46 takes ideographic full stops for dots; the grammar knows one dot only.
  if (std::ranges::count(result, '.') != std::ranges::count(name, '.')) return std::nullopt;
  return std::string(result);
}

Domain::Domain(std::string as_given) : text_(std::move(as_given)) {
  if (text_.size() > 2 && is_literal() && text_.back() == ']') {
    key_ = literal_key(text_);
    return;
  }
  std::string_view name = text_;
  if (name.ends_with('.')) name.remove_suffix(1);
  auto key = to_ascii(name);
  key_ = key ? std::move(*key) : lowered(name);
}

Parsed<Domain> take_domain(std::string_view& text, Utf8 utf8) {
  if (text.starts_with('[')) return take_literal(text);
  size_t length = 0;
  while (true) {
    const std::string_view label = text.substr(length, label_length(text.substr(length), utf8));
    if (label.empty()) return wrong(length == 0 ? "domain is missing" : "domain has an empty label");
    if (label.front() == '-' || label.back() == '-') return wrong("domain label begins or ends with a hyphen");
    if (is_ascii(label) && label.size() > kMaxLabel) return wrong("domain label is longer than 63 octets");
    length += label.size();
    if (length > kMaxDomain) return wrong("domain is longer than 255 octets");
    if (length == text.size() || text[length] != '.') break;
    ++length;
  }
  const std::string_view name = text.substr(0, length);
  if (!is_ascii(name) && !to_ascii(name)) return wrong("domain is not a valid internationalised name");
  text.remove_prefix(length);
  return Domain(std::string(name));
}

Parsed<Domain> parse_domain(std::string_view text, Utf8 utf8) {
  auto domain = take_domain(text, utf8);
  if (domain && !text.empty()) return wrong("character that no domain may have");
  return domain;
}

}  // namespace doorward::mail
