// Reads a server's replies (RFC 5321 §4.2) as their bytes come, within bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "smtp/reply.h"

namespace doorward::smtp {

class ReplyParser {
 public:
  enum class Status : uint8_t { need_more, done, broken };

  static constexpr size_t kMaxLine = 2048;       // octets without the line end
  static constexpr size_t kMaxLines = 100;       // of one reply
  static constexpr size_t kMaxReply = 64 << 10;  // octets of one reply

  // Takes bytes up to the end of one reply at most; `consumed` says how many. After done, take() the reply and feed
  // what is left. After broken the stream makes no sense any more: see why().
  Status feed(std::string_view bytes, size_t& consumed);
  // The reply that was completed; codes are 200 to 599. An enhanced status code (RFC 2034) that stands at the front of
  // its lines and fits the code's class is taken out of them.
  Reply take();
  // Nothing of a next reply was read yet.
  bool idle() const { return line_.empty() && reply_.lines.empty(); }
  std::string_view why() const { return why_; }

 private:
  Status line(std::string_view text);
  Status broken(std::string_view why);

  std::string line_;  // the part of a line that came so far
  Reply reply_;
  size_t octets_ = 0;
  std::string_view why_;
};

}  // namespace doorward::smtp
