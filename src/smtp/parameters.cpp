#include "smtp/parameters.h"

#include <algorithm>

#include "mail/ascii.h"
#include "mail/utf8.h"

namespace doorward::smtp {
namespace {

constexpr size_t kMaxParameters = 20;  // there are ten known ones

bool is_keyword(std::string_view text) {
  return !text.empty() && mail::is_let_dig(text.front()) &&
         std::ranges::all_of(text, [](char c) { return mail::is_let_dig(c) || c == '-'; });
}

// esmtp-value = 1*(%d33-60 / %d62-126), and beyond ASCII in UTF-8 (RFC 6531 §3.3).
bool is_value(std::string_view text) {
  if (text.empty()) return false;
  while (!text.empty()) {
    const char c = text.front();
    const size_t octets = c > ' ' && c <= '~' ? (c == '=' ? 0U : 1U) : mail::utf8_non_ascii(text);
    if (octets == 0) return false;
    text.remove_prefix(octets);
  }
  return true;
}

std::unexpected<Reply> bad(std::string text) {
  return std::unexpected(Reply(501, EnhancedStatus{5, 5, 4}, std::move(text)));
}

}  // namespace

std::expected<std::vector<Parameter>, Reply> parse_parameters(std::string_view text) {
  std::vector<Parameter> result;
  if (!text.empty() && text.front() != ' ') return bad("Space missing after the address");
  while (true) {
    const size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) return result;
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());

    const size_t equals = word.find('=');
    Parameter parameter{word.substr(0, equals), std::nullopt};
    if (equals != std::string_view::npos) parameter.value = word.substr(equals + 1);
    if (!is_keyword(parameter.keyword)) return bad("Malformed parameter");
    if (parameter.value && !is_value(*parameter.value)) return bad("Parameter with a malformed value");
    if (result.size() == kMaxParameters) return bad("Too many parameters");
    for (const Parameter& earlier : result) {
      if (mail::equal_ignoring_case(earlier.keyword, parameter.keyword)) return bad("Parameter given twice");
    }
    result.push_back(parameter);
  }
}

}  // namespace doorward::smtp
