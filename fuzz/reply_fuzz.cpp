// A server's replies: cut anywhere they must give the same, and what is written must be read again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "smtp/reply_parser.h"

using namespace doorward::smtp;

namespace {

std::string all(std::string_view bytes, size_t piece) {
  ReplyParser parser;
  std::string result;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    std::string_view left = bytes.substr(at, piece);
    while (!left.empty()) {
      size_t consumed = 0;
      const auto status = parser.feed(left, consumed);
      if (status == ReplyParser::Status::broken) return result + "broken";
      left.remove_prefix(consumed);
      if (status == ReplyParser::Status::done) result += parser.take().wire();
    }
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 100'000) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = all(bytes, size + 1);
  if (all(bytes, 7) != whole) std::abort();
  // Short enough that no line is written as two.
  if (size < 400 && !whole.ends_with("broken") && all(whole, 1000).ends_with("broken")) std::abort();
  return 0;
}
