// Cuts a multipart body at its delimiter lines (RFC 2046 §5.1.1).
#pragma once

#include <string_view>
#include <vector>

namespace doorward::mime {

struct Split {
  std::vector<std::string_view> parts;  // without the line end before the next delimiter
  std::vector<std::string_view>
      after_close;                         // delimited behind the closing one: shown by readers that ignore the close
  std::vector<std::string_view> prefixed;  // delimiter lines that only begin with the boundary (without "--")
  std::string_view preamble, epilogue;
  bool closed = false;
  bool limited = false;  // more than `max_parts`
  bool found() const { return closed || !parts.empty(); }
};

// `loose`: a line that begins with the boundary delimits, whatever follows.
Split split_at(std::string_view body, std::string_view boundary, size_t max_parts, bool loose = false);

// What looks like a boundary where the declared one does not occur: a "--x" line before a header field. Empty if none.
std::string_view guess_boundary(std::string_view body);

}  // namespace doorward::mime
