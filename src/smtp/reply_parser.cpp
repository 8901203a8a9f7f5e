#include "smtp/reply_parser.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace doorward::smtp {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// One number of an enhanced status code, up to 999 without leading zeros (RFC 3463 §2).
std::optional<uint16_t> take_number(std::string_view& text) {
  uint16_t value = 0;
  size_t digits = 0;
  while (digits < text.size() && digits < 4 && is_digit(text[digits])) {
    value = static_cast<uint16_t>(value * 10 + (text[digits] - '0'));
    ++digits;
  }
  if (digits == 0 || digits > 3 || (digits > 1 && text[0] == '0')) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

// "5.1.1 text": takes the code off the text. None unless its class is the reply code's first digit.
std::optional<EnhancedStatus> take_enhanced(std::string_view& text, int code) {
  if (code / 100 == 3) return std::nullopt;
  std::string_view left = text;
  uint16_t numbers[3]{};
  for (int i = 0; i < 3; ++i) {
    if (i > 0) {
      if (left.empty() || left.front() != '.') return std::nullopt;
      left.remove_prefix(1);
    }
    const auto number = take_number(left);
    if (!number) return std::nullopt;
    numbers[i] = *number;
  }
  if (numbers[0] != code / 100 || (!left.empty() && left.front() != ' ')) return std::nullopt;
  if (!left.empty()) left.remove_prefix(1);
  text = left;
  return EnhancedStatus{numbers[0], numbers[1], numbers[2]};
}

}  // namespace

ReplyParser::Status ReplyParser::broken(std::string_view why) {
  why_ = why;
  return Status::broken;
}

ReplyParser::Status ReplyParser::feed(std::string_view bytes, size_t& consumed) {
  consumed = 0;
  if (!why_.empty()) return Status::broken;
  while (consumed < bytes.size()) {
    const std::string_view left = bytes.substr(consumed);
    const size_t end = left.find('\n');
    const size_t part = end == std::string_view::npos ? left.size() : end + 1;
    if (line_.size() + part > kMaxLine + 2) return broken("a reply line is too long");
    octets_ += part;
    if (octets_ > kMaxReply) return broken("a reply is too long");
    consumed += part;
    if (end == std::string_view::npos) {
      line_.append(left);
      return Status::need_more;
    }
    std::string held = std::exchange(line_, {});
    std::string_view text = left.substr(0, end);
    if (!held.empty()) text = held.append(text);
    if (text.ends_with('\r')) text.remove_suffix(1);
    const Status status = line(text);
    if (status != Status::need_more) return status;
  }
  return Status::need_more;
}

ReplyParser::Status ReplyParser::line(std::string_view text) {
  if (text.size() > kMaxLine) return broken("a reply line is too long");
  if (text.size() < 3 || !std::all_of(text.begin(), text.begin() + 3, is_digit)) {
    return broken("a reply does not begin with three digits");
  }
  const int code = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
  if (code < 200 || code > 599) return broken("a reply's code is not between 200 and 599");
  const bool first = reply_.lines.empty();
  if (!first && code != reply_.code) return broken("the lines of one reply have different codes");
  const char separator = text.size() > 3 ? text[3] : ' ';
  if (separator != ' ' && separator != '-') return broken("a reply's code is followed by neither space nor hyphen");
  if (reply_.lines.size() == kMaxLines) return broken("a reply has too many lines");

  text.remove_prefix(std::min<size_t>(text.size(), 4));
  const auto enhanced = take_enhanced(text, code);
  if (first) {
    reply_.code = code;
    if (enhanced) reply_.enhanced = *enhanced;
  }
  reply_.lines.emplace_back(text);
  return separator == ' ' ? Status::done : Status::need_more;
}

Reply ReplyParser::take() {
  octets_ = 0;
  return std::exchange(reply_, Reply{});
}

}  // namespace doorward::smtp
