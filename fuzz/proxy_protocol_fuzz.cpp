// The PROXY protocol parser over arbitrary beginnings of connections.
#include <cstdint>
#include <cstdlib>

#include "net/proxy_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using doorward::net::ProxyParse;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const ProxyParse whole = doorward::net::parse_proxy_header(bytes);
  if (whole.state == ProxyParse::State::complete && (whole.used == 0 || whole.used > size)) std::abort();
  if (whole.state == ProxyParse::State::incomplete && whole.missing == 0) std::abort();
  // Read as a session reads: never more than is certainly missing, and the result is the same.
  size_t have = 0;
  for (;;) {
    const ProxyParse part = doorward::net::parse_proxy_header(bytes.substr(0, have));
    if (part.state != ProxyParse::State::incomplete) {
      if (part.state != whole.state || part.used != whole.used) std::abort();
      if (part.state == ProxyParse::State::complete && part.used != have) std::abort();
      break;
    }
    if (have + part.missing > size) break;
    have += part.missing;
  }
  return 0;
}
