// One command line: every verb's grammar on whatever stands behind it.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "smtp/command.h"

using namespace doorward::smtp;

namespace {

// A refusal must be a permanent one with its enhanced code, and one line on the wire.
template <class T>
void check(const std::expected<T, Reply>& result) {
  if (result) return;
  const Reply& reply = result.error();
  if (!reply.permanent() || reply.enhanced.klass != 5) std::abort();
  const std::string wire = reply.wire();
  if (!wire.ends_with("\r\n") || wire.find('\n') != wire.size() - 1) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const std::string_view argument = split_command(line).argument;
  Offered offered;
  offered.size_limit = 1000;
  check(parse_mail(argument, offered));
  check(parse_rcpt(argument, offered, false));
  check(parse_rcpt(argument, offered, true));
  check(parse_bdat(argument));
  check(parse_hello(argument, true));
  check(parse_xclient(argument));
  return 0;
}
