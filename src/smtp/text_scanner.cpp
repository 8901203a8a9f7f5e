#include "smtp/text_scanner.h"

#include <algorithm>
#include <cstring>

namespace doorward::smtp {

std::string_view describe(TextFault fault) {
  switch (fault) {
    case TextFault::none:
      return "";
    case TextFault::bare_cr:
      return "the message has a CR without LF";
    case TextFault::bare_lf:
      return "the message has an LF without CR";
    case TextFault::nul_in_header:
      return "the message has a NUL in its header section";
    case TextFault::long_line:
      return "the message has a line that is too long";
    case TextFault::too_large:
      return "the message is too large";
  }
  return "";
}

TextScanner::Step TextScanner::finish(std::string_view input, size_t used, size_t text_begin, size_t text_end) {
  const std::string_view text = input.substr(text_begin, text_end - text_begin);
  size_ += text.size();
  if (size_ > largest_) spoil(TextFault::too_large);
  return {used, text};
}

// Runs to the next CR, or to the end of the input; returns where it stopped.
size_t TextScanner::inside_line(std::string_view input, size_t at) {
  const std::string_view rest = input.substr(at);
  const void* const found = std::memchr(rest.data(), '\r', rest.size());
  const size_t length =
      found == nullptr ? rest.size() : static_cast<size_t>(static_cast<const char*>(found) - rest.data());
  if (std::memchr(rest.data(), '\n', length) != nullptr) spoil(TextFault::bare_lf);
  if (in_header_ && std::memchr(rest.data(), '\0', length) != nullptr) spoil(TextFault::nul_in_header);
  line_size_ += length;
  if (line_size_ + 2 > longest_line_) spoil(TextFault::long_line);
  if (length > 0) line_empty_ = false;
  return at + length;
}

TextScanner::Step TextScanner::next(std::string_view input) {
  size_t at = 0;
  // A dot that began a line and turned out to be stuffed is not text; so the run begins behind it.
  size_t run = 0;
  while (at < input.size()) {
    const char octet = input[at];
    switch (state_) {
      case State::line_start:
        if (octet == '.' && form_ == Form::dotted) {
          state_ = State::dot;
          line_empty_ = false;
          if (at > run) return finish(input, at + 1, run, at);
          run = ++at;
        } else {
          state_ = State::inside;
        }
        break;
      case State::dot:
        if (octet == '\r') {
          state_ = State::dot_cr;
          run = ++at;
        } else {
          state_ = State::inside;
        }
        break;
      case State::dot_cr:
        if (octet == '\n') {
          state_ = State::ended;
          return finish(input, at + 1, at, at);
        }
        spoil(TextFault::bare_cr);
        state_ = State::inside;
        break;
      case State::inside:
        at = inside_line(input, at);
        if (at < input.size()) {
          state_ = State::cr;
          ++at;
        }
        break;
      case State::cr:
        if (octet == '\n') {
          if (line_empty_) in_header_ = false;
          line_empty_ = true;
          line_size_ = 0;
          state_ = State::line_start;
          ++at;
        } else {
          spoil(TextFault::bare_cr);
          line_empty_ = false;
          state_ = State::inside;
        }
        break;
      case State::ended:
        return finish(input, at, run, at);
    }
  }
  return finish(input, at, run, at);
}

bool TextScanner::end_of_chunks() {
  if (state_ == State::cr) spoil(TextFault::bare_cr);
  return state_ != State::line_start;
}

}  // namespace doorward::smtp
