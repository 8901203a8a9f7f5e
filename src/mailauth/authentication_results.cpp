#include "mailauth/authentication_results.h"

#include <algorithm>

#include "mail/ascii.h"
#include "mailauth/tag_list.h"
#include "mime/headers.h"

namespace doorward::mailauth {
namespace {

constexpr size_t kMostResults = 100, kMostProperties = 100;

constexpr bool is_token_char(char c) {  // RFC 2045 §5.1, and UTF-8 (RFC 8616)
  return (c & 0x80) != 0 ||
         (c > 0x20 && c < 0x7f && std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos);
}
constexpr bool is_address_char(char c) {  // atext of a local part, dots and the "@"
  return is_token_char(c) || c == '/' || c == '=' || c == '?' || c == '@';
}
constexpr bool is_keyword_char(char c) { return mail::is_let_dig(c) || c == '-' || c == '_'; }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : rest_(text) {}

  // CFWS. False where a comment never ends.
  bool skip() {
    for (;;) {
      rest_ = rest_.substr(static_cast<size_t>(trimmed_front(rest_) - rest_.data()));
      if (!rest_.starts_with('(')) return true;
      const size_t length = mime::comment_length(rest_);
      if (length == 0) return false;
      rest_.remove_prefix(length);
    }
  }
  bool take(char wanted) {
    if (!skip() || !rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  template <class Is>
  std::string_view run(Is is) {
    skip();
    const auto end = std::ranges::find_if_not(rest_, is);
    const std::string_view word = rest_.substr(0, static_cast<size_t>(end - rest_.begin()));
    rest_.remove_prefix(word.size());
    return word;
  }
  // A quoted string's content; none where there is none or it never ends.
  std::optional<std::string> quoted() {
    skip();
    if (!rest_.starts_with('"')) return std::nullopt;
    std::string content;
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return content;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      if (rest_[i] != '\r' && rest_[i] != '\n') content += rest_[i];
    }
    return std::nullopt;
  }
  // value = token / quoted-string
  std::optional<std::string> value() {
    if (auto content = quoted()) return content;
    const std::string_view token = run(is_token_char);
    if (token.empty()) return std::nullopt;
    return std::string(token);
  }
  // value / [ [ local-part ] "@" ] domain-name
  std::optional<std::string> property_value() {
    if (auto content = quoted()) {
      if (!rest_.starts_with('@')) return content;
      return *content + std::string(run(is_address_char));
    }
    const std::string_view word = run(is_address_char);
    const bool address = std::ranges::count(word, '@') == 1 && !word.ends_with('@');
    if (word.empty() || (!address && !std::ranges::all_of(word, is_token_char))) return std::nullopt;
    return std::string(word);
  }
  bool done() { return skip() && rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  static const char* trimmed_front(std::string_view text) {
    size_t i = 0;
    while (i < text.size() && trimmed(text.substr(i, 1)).empty()) ++i;
    return text.data() + i;
  }
  std::string_view rest_;
};

using Failed = std::unexpected<std::string_view>;

// [CFWS] authserv-id [ CFWS authres-version ], up to the first ";" or the end
std::expected<std::string, std::string_view> read_id(Lexer& lexer) {
  const auto id = lexer.value();
  if (!id || id->empty()) return Failed("no authserv-id");
  const std::string_view version = lexer.run(mail::is_digit);
  if (!version.empty() && version != "1") return Failed("an unknown version");
  if (!lexer.skip()) return Failed("a comment that never ends");
  return *id;
}

std::expected<MethodResult, std::string_view> read_result(Lexer& lexer) {
  MethodResult one;
  one.method = mail::lowered(lexer.run(is_keyword_char));
  if (one.method.empty()) return Failed("no method");
  if (lexer.take('/') && lexer.run(mail::is_digit) != "1") return Failed("an unknown version of a method");
  if (!lexer.take('=')) return Failed("a method without a result");
  one.result = mail::lowered(lexer.run(is_keyword_char));
  if (one.result.empty()) return Failed("a method without a result");
  for (;;) {
    if (!lexer.skip()) return Failed("a comment that never ends");
    if (lexer.rest().empty() || lexer.rest().front() == ';') return one;
    const std::string_view word = lexer.run(is_keyword_char);
    if (word.empty() || one.properties.size() == kMostProperties) return Failed("a malformed property");
    if (mail::equal_ignoring_case(word, "reason") && lexer.take('=')) {
      auto reason = lexer.value();
      if (!reason) return Failed("a malformed reason");
      one.reason = std::move(*reason);
      continue;
    }
    if (!lexer.take('.')) return Failed("a malformed property");
    const std::string_view name = lexer.run(is_keyword_char);
    if (name.empty() || !lexer.take('=')) return Failed("a malformed property");
    auto value = lexer.property_value();
    if (!value) return Failed("a malformed value");
    one.properties.push_back({mail::lowered(word), std::string(name), std::move(*value)});
  }
}

bool is_results(const mime::Header& field) { return mail::equal_ignoring_case(field.name, "Authentication-Results"); }

// Cuts at the ";" outside quotes and comments.
std::vector<std::string_view> split_results(std::string_view text) {
  std::vector<std::string_view> pieces;
  size_t begin = 0, unclosed = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && quoted) {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == '(' && !quoted && unclosed < mime::kMostUnclosed) {
      const size_t length = mime::comment_length(text.substr(i));
      length == 0 ? ++unclosed : i += length - 1;
    } else if (c == ';' && !quoted) {
      pieces.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  pieces.push_back(text.substr(begin));
  return pieces;
}

}  // namespace

std::expected<AuthenticationResults, std::string_view> read_authentication_results(std::string_view value) {
  Lexer lexer(value);
  auto id = read_id(lexer);
  if (!id) return Failed(id.error());
  AuthenticationResults all{.id = std::move(*id), .results = {}};
  while (!lexer.done()) {
    if (!lexer.take(';')) return Failed("no \";\" before a result");
    if (all.results.empty() && mail::starts_ignoring_case(trimmed(lexer.rest()), "none")) {
      Lexer ahead = lexer;
      if (mail::equal_ignoring_case(ahead.run(is_keyword_char), "none") && ahead.done()) return all;
    }
    if (!all.results.empty() && lexer.done()) return all;  // the last ";" is too much, and common
    auto one = read_result(lexer);
    if (!one) return Failed(one.error());
    if (all.results.size() == kMostResults) return Failed("too many results");
    all.results.push_back(std::move(*one));
  }
  if (all.results.empty()) return Failed("no results");
  return all;
}

bool claims_authserv_id(std::string_view value, std::string_view id) {
  const auto bare = [](std::string_view name) {
    name = trimmed(name);
    while (name.ends_with('.')) name.remove_suffix(1);
    return name;
  };
  Lexer lexer(value);
  const auto named = lexer.value();
  // A reader may end the id at characters that no token has: "id/1".
  const auto clean_end = [&] {
    return lexer.skip() &&
           (lexer.rest().empty() || lexer.rest().front() == ';' || mail::is_digit(lexer.rest().front()));
  };
  if (named) {
    if (mail::equal_ignoring_case(bare(*named), bare(id))) return true;
    if (clean_end()) return false;
  }
  const std::string head = mail::lowered(value.substr(0, value.find(';')));
  return head.find(mail::lowered(id)) != std::string::npos;
}

std::vector<size_t> forged_authentication_results(std::span<const mime::Header> fields, std::string_view id) {
  std::vector<size_t> forged;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (is_results(fields[i]) && claims_authserv_id(fields[i].value, id)) forged.push_back(i);
  }
  return forged;
}

std::string merged_authentication_results(std::span<const mime::Header> fields, std::string_view id) {
  std::string merged(id);
  size_t count = 0;
  for (const mime::Header& field : fields) {
    if (!is_results(field)) continue;
    Lexer lexer(field.value);
    const auto named = read_id(lexer);
    if (!named || !mail::equal_ignoring_case(*named, id) || !lexer.take(';')) continue;
    for (const std::string_view piece : split_results(lexer.rest())) {
      const std::string_view result = trimmed(piece);
      if (result.empty() || mail::equal_ignoring_case(result, "none")) continue;
      merged += count++ == 0 ? "; " : ";\r\n ";
      merged += result;
    }
  }
  return count == 0 ? merged + "; none" : merged;
}

}  // namespace doorward::mailauth
