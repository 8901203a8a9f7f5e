// An HTTP/1.1 client over net/: one connection to one origin, kept while the server lets it, one request at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/task.h"
#include "http/message.h"
#include "http/origin.h"
#include "net/connection.h"
#include "net/core.h"
#include "net/resolver.h"
#include "net/tls.h"

namespace doorward::http {

struct ClientOptions {
  Origin origin;
  net::Resolver* resolver = nullptr;                   // for hosts that are names; none: only addresses can be asked
  std::shared_ptr<const net::TlsClientContext> tls{};  // for https: the certificate has to be valid for the host
  size_t header_limit = 16 << 10;                      // octets
  uint64_t body_limit = 1 << 20;                       // octets, of a response
};

// Belongs to one core.
class Client {
 public:
  Client(net::Core& core, ClientOptions options);
  ~Client();
  Client(Client&&) noexcept;

  // Ends at the deadline at the latest; an error says what failed. The request's path is relative to the origin's; it
  // needs no Host and no Content-Length. Where a kept connection turns out to be closed before anything of a response
  // came, the request is sent once more over a new one: it must bear to be done twice (RFC 9110 §9.2.2).
  Task<Result<Response>> send(Request request, SteadyTime deadline);
  void close();

 private:
  struct Attempt;
  Task<Result<void>> connect(SteadyTime deadline);
  Task<Attempt> attempt(std::string head, std::string_view body, SteadyTime deadline);
  Task<Result<std::vector<mail::IpAddress>>> addresses(SteadyTime deadline);

  net::Core& core_;
  ClientOptions options_;
  std::unique_ptr<net::Connection> connection_;
};

}  // namespace doorward::http
