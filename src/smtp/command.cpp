#include "smtp/command.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "mail/ascii.h"

namespace doorward::smtp {
namespace {

constexpr std::string_view kSpace = " \t";

struct VerbName {
  std::string_view text;
  Verb verb;
};
constexpr std::array kVerbs{
    VerbName{"EHLO", Verb::ehlo}, VerbName{"MAIL", Verb::mail}, VerbName{"RCPT", Verb::rcpt},
    VerbName{"DATA", Verb::data}, VerbName{"QUIT", Verb::quit}, VerbName{"RSET", Verb::rset},
    VerbName{"HELO", Verb::helo}, VerbName{"BDAT", Verb::bdat}, VerbName{"STARTTLS", Verb::starttls},
    VerbName{"NOOP", Verb::noop}, VerbName{"LHLO", Verb::lhlo}, VerbName{"XCLIENT", Verb::xclient},
    VerbName{"VRFY", Verb::vrfy}, VerbName{"EXPN", Verb::expn}, VerbName{"HELP", Verb::help},
    VerbName{"AUTH", Verb::auth},
};

std::unexpected<Reply> bad_argument(std::string text) {
  return std::unexpected(Reply(501, EnhancedStatus{5, 5, 4}, std::move(text)));
}

// Letters, digits and what hosts send beside them: hyphens anywhere, underscores; no empty label but a last one.
bool is_practical_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.starts_with('.') || name.ends_with('.') || name.contains("..")) return false;
  return std::ranges::all_of(name, [](char c) { return mail::is_let_dig(c) || c == '-' || c == '_' || c == '.'; });
}

}  // namespace

CommandLine split_command(std::string_view line) {
  const size_t begin = std::min(line.find_first_of(kSpace), line.size());
  const std::string_view word = line.substr(0, begin);
  CommandLine result;
  if (const size_t first = line.find_first_not_of(kSpace, begin); first != std::string_view::npos) {
    result.argument = line.substr(first, line.find_last_not_of(kSpace) + 1 - first);
  }
  const auto* const found =
      std::ranges::find_if(kVerbs, [&](const VerbName& v) { return mail::equal_ignoring_case(v.text, word); });
  if (found != kVerbs.end()) result.verb = found->verb;
  return result;
}

std::expected<std::pair<uint64_t, bool>, Reply> parse_bdat(std::string_view argument) {
  uint64_t size = 0;
  const char* const end = argument.data() + argument.size();
  const auto [after, error] = std::from_chars(argument.data(), end, size);
  if (error == std::errc::result_out_of_range) return bad_argument("BDAT's chunk size is out of range");
  if (error != std::errc{}) return bad_argument("BDAT needs the chunk's size in octets");
  const std::string_view left(after, static_cast<size_t>(end - after));
  if (left.empty()) return std::pair(size, false);
  const size_t word = left.find_first_not_of(' ');
  if (word == 0 || word == std::string_view::npos || !mail::equal_ignoring_case(left.substr(word), "LAST")) {
    return bad_argument("Only LAST may follow BDAT's chunk size");
  }
  return std::pair(size, true);
}

std::expected<std::string, Reply> parse_hello(std::string_view argument, bool ehlo) {
  const std::string verb = ehlo ? "EHLO" : "HELO";
  if (argument.empty()) return bad_argument(verb + " needs the name of your host");
  if (argument.size() > 255) return bad_argument("The name of your host is too long");
  const bool good = argument.front() == '[' ? mail::parse_domain(argument, mail::Utf8::refused).has_value()
                                            : is_practical_name(argument) || mail::IpAddress::parse(argument);
  if (!good) return bad_argument(verb + " needs a host name or an address literal");
  return std::string(argument);
}

}  // namespace doorward::smtp
