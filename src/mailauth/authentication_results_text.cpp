// The writing half of authentication_results.h.
#include <fmt/format.h>

#include <algorithm>

#include "mail/ascii.h"
#include "mail/utf8.h"
#include "mailauth/authentication_results.h"

namespace doorward::mailauth {
namespace {

constexpr size_t kColumns = 76;
constexpr size_t kMostValue = 300;  // octets of one value: a line must stay below 998 (RFC 5322 §2.1.1)

bool is_token(std::string_view text) {  // RFC 2045 §5.1
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > 0x20 && c < 0x7f && std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
  });
}
bool is_dot_atom(std::string_view text) {  // RFC 5322 §3.2.3
  return !text.empty() && text.front() != '.' && text.back() != '.' && text.find("..") == std::string_view::npos &&
         std::ranges::all_of(text, [](char c) {
           return mail::is_let_dig(c) || std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
         });
}
bool is_host(std::string_view text) {
  return is_dot_atom(text) &&
         std::ranges::all_of(text, [](char c) { return mail::is_let_dig(c) || c == '-' || c == '.'; });
}
// [ [ local-part ] "@" ] domain-name
bool is_address(std::string_view text) {
  const size_t at = text.find('@');
  if (at == std::string_view::npos) return false;
  return is_host(text.substr(at + 1)) && (at == 0 || is_dot_atom(text.substr(0, at)));
}

std::string_view cut(std::string_view text) {
  if (text.size() <= kMostValue) return text;
  size_t end = kMostValue;
  while (end > kMostValue - 3 && (text[end] & 0xC0) == 0x80) --end;  // not within a character
  return text.substr(0, end);
}

// Controls become "?"; `escaped` are the characters that need a backslash.
std::string safe(std::string_view text, std::string_view escaped) {
  std::string result;
  for (const char c : cut(text)) {
    if (escaped.find(c) != std::string_view::npos) result += '\\';
    result += (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) ? '?' : c;
  }
  return result;
}

std::string value_text(std::string_view value, bool property) {
  value = cut(value);
  if (is_token(value) || (property && is_address(value))) return std::string(value);
  return '"' + safe(value, "\"\\") + '"';
}

void add(std::string& out, size_t& column, std::string_view word) {
  const bool fold = column + 1 + word.size() > kColumns;
  out += fold ? "\r\n\t " : " ";
  out += word;
  column = (fold ? 9 : column + 1) + word.size();
}

}  // namespace

std::string authentication_results_text(std::string_view id, std::span<const MethodResult> results) {
  std::string out = value_text(id, false);
  if (results.empty()) return out + "; none";
  for (const MethodResult& one : results) {
    out += ";\r\n\t";
    const std::string begin = one.method + "=" + one.result;
    out += begin;
    size_t column = 8 + begin.size();
    if (!one.comment.empty()) add(out, column, "(" + safe(one.comment, "()\\") + ")");
    if (!one.reason.empty()) add(out, column, "reason=" + value_text(one.reason, false));
    for (const MethodProperty& property : one.properties) {
      if (property.value.empty()) continue;
      add(out, column, fmt::format("{}.{}={}", property.type, property.name, value_text(property.value, true)));
    }
  }
  return out;
}

std::string authentication_results_field(std::string_view id, std::span<const MethodResult> results) {
  return "Authentication-Results: " + authentication_results_text(id, results) + "\r\n";
}

std::vector<MethodResult> method_results(const DkimOutcome& dkim) {
  std::vector<MethodResult> results;
  for (const DkimSignature& one : dkim.signatures) {
    MethodResult result{.method = "dkim", .result = std::string(text(one.result)), .reason = one.reason};
    if (one.key_bits != 0 && one.algorithm == "rsa-sha256") result.comment = fmt::format("{}-bit key", one.key_bits);
    if (one.testing) result.comment += result.comment.empty() ? "test mode" : ", test mode";
    if (one.unsigned_octets != 0) {
      result.comment += fmt::format("{}{} octets not signed", result.comment.empty() ? "" : ", ", one.unsigned_octets);
    }
    result.properties = {{"header", "d", one.domain},
                         {"header", "i", one.identity},
                         {"header", "s", one.selector},
                         {"header", "a", one.algorithm},
                         {"header", "b", one.value_begin}};
    results.push_back(std::move(result));
  }
  if (results.empty()) results.push_back({.method = "dkim", .result = "none"});
  return results;
}

MethodResult method_result(const ArcOutcome& arc) {
  MethodResult result{.method = "arc", .result = std::string(text(arc.cv)), .reason = arc.reason};
  if (arc.instances != 0) result.comment = fmt::format("i={}", arc.instances);
  if (arc.cv == Result::pass) {
    if (!arc.sealers.empty()) result.comment += " " + arc.sealers.back().domain;
    result.properties.push_back({"header", "oldest-pass", std::to_string(arc.oldest_pass)});  // RFC 8617 §10.2
  }
  return result;
}

}  // namespace doorward::mailauth
