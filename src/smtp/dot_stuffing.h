// A message's pieces as they go onto the wire, batch by batch and without a copy: with the dots of RFC 5321 §4.5.2 and
// the final one, or as they are (BDAT).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace doorward::smtp {

// Views into the pieces; what they point to must outlive the writes.
class ContentFeed {
 public:
  enum class Form : uint8_t { dot_stuffed, chunk };
  ContentFeed(std::vector<std::string_view> pieces, Form form) : pieces_(std::move(pieces)), form_(form) {}

  // Octets of the pieces themselves.
  uint64_t size() const;
  // Appends to `batch` until it has about `most_pieces` pieces (at most three more) or `most_bytes` octets; false when
  // this was the last of it.
  bool next(std::vector<std::string_view>& batch, size_t most_pieces, size_t most_bytes);

 private:
  void append(std::string_view bytes, std::vector<std::string_view>& batch);

  std::vector<std::string_view> pieces_;
  Form form_;
  size_t piece_ = 0;        // the piece to go on with …
  size_t offset_ = 0;       // … and where in it
  bool line_start_ = true;  // the next octet begins a line
  bool after_cr_ = false;   // the last octet was a CR
  bool ended_line_ = true;  // the last octets were CRLF, or there were none
};

}  // namespace doorward::smtp
