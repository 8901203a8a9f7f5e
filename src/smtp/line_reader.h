// Command lines out of the bytes that came. Sans-IO. Only CRLF ends a line (RFC 5321 §2.3.8): whoever sends another end
// is refused, since two servers that disagree on where lines end can be played against each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace doorward::smtp {

enum class LineState : uint8_t {
  incomplete,  // more bytes are needed
  complete,
  bare_cr,   // a CR without LF
  bare_lf,   // an LF without CR
  nul,       // a NUL octet
  too_long,  // no end within the limit; used: what may be dropped
};

struct Line {
  LineState state = LineState::incomplete;
  std::string_view text{};  // complete: without CRLF; a view into the input
  size_t used = 0;          // octets that belong to it
};

// Looks at the beginning of `input`; `limit` counts octets with CRLF.
Line next_line(std::string_view input, size_t limit);

}  // namespace doorward::smtp
