// The PROXY protocol, versions 1 and 2 (haproxy.org/download/2.9/doc/proxy-protocol.txt): a balancer in front of us
// says whom it speaks for. Sans-IO: what follows the header, a TLS handshake say, is never touched.
#pragma once

#include <cstddef>
#include <string_view>

#include "net/connection.h"

namespace doorward::net {

struct ProxyHeader {
  bool has_addresses = false;  // false: LOCAL or UNKNOWN, the connection's own addresses stand
  Endpoint source{};
  Endpoint destination{};
};

struct ProxyParse {
  enum class State { incomplete, invalid, complete };
  State state = State::incomplete;
  size_t missing = 0;  // incomplete: octets that certainly still belong to the header, at least 1
  size_t used = 0;     // complete: octets of the header
  ProxyHeader header{};
};

// The longest header that is read: version 2 with its extensions (TLVs), which are skipped.
inline constexpr size_t kProxyHeaderMost = 16 + 2048;

// Looks at `bytes`, the beginning of a connection.
ProxyParse parse_proxy_header(std::string_view bytes);

}  // namespace doorward::net
