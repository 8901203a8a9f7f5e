// The text of a message as it comes off the wire, after DATA (with dots, RFC 5321 §4.5.2) or in chunks (BDAT, RFC
// 3030). Sans-IO. The end is CRLF "." CRLF and nothing else; a CR or LF alone, a NUL in the header section, a line or a
// message over its limit spoil the message, but never move its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace doorward::smtp {

enum class TextFault : uint8_t { none, bare_cr, bare_lf, nul_in_header, long_line, too_large };
std::string_view describe(TextFault fault);  // for the peer: what is wrong with its message

class TextScanner {
 public:
  enum class Form : uint8_t { dotted, chunks };
  TextScanner(Form form, size_t longest_line, uint64_t largest)
      : form_(form), longest_line_(longest_line), largest_(largest) {}

  struct Step {
    size_t used = 0;          // octets of the input that are done
    std::string_view text{};  // what of them belongs to the message, in order; a view into the input
  };
  // Goes on with `input`, which is not empty; at least one octet is used. Precondition: !ended().
  Step next(std::string_view input);
  bool ended() const { return state_ == State::ended; }
  // The last chunk is complete: a CR at its very end was bare. True where the text lacks its last CRLF.
  bool end_of_chunks();

  TextFault fault() const { return fault_; }  // the first one found; the text is of no use from there on
  uint64_t size() const { return size_; }     // octets of the message so far

 private:
  enum class State : uint8_t { line_start, dot, dot_cr, inside, cr, ended };

  size_t inside_line(std::string_view input, size_t at);
  void spoil(TextFault fault) {
    if (fault_ == TextFault::none) fault_ = fault;
  }
  Step finish(std::string_view input, size_t used, size_t text_begin, size_t text_end);

  Form form_;
  State state_ = State::line_start;
  TextFault fault_ = TextFault::none;
  bool in_header_ = true;
  bool line_empty_ = true;  // the present line has no octet yet
  size_t longest_line_;     // octets with CRLF
  size_t line_size_ = 0;
  uint64_t largest_;
  uint64_t size_ = 0;
};

}  // namespace doorward::smtp
