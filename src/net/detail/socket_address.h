// Endpoints as the kernel's socket addresses, and errno as IoError.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include "net/connection.h"

namespace doorward::net::detail {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  // Precondition: a Unix path is shorter than sun_path (Endpoint::parse sees to it).
  static SocketAddress of(const Endpoint& endpoint);
  Endpoint endpoint() const;
  int family() const { return storage.ss_family; }
  const sockaddr* get() const;
  sockaddr* get();
};

IoError error_kind(int error_number);
std::unexpected<IoFailure> io_failure(int error_number, std::string_view doing);
inline std::unexpected<IoFailure> io_failure(IoError kind, std::string detail) {
  return std::unexpected<IoFailure>(std::in_place, kind, std::move(detail));
}

}  // namespace doorward::net::detail
