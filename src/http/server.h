// A small HTTP/1.1 server on net/: routes, limits, deadlines. It answers /metrics, /healthz and the like.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/task.h"
#include "http/message.h"
#include "net/core.h"

namespace doorward::net {
class Listener;
class TlsServerContext;
}  // namespace doorward::net

namespace doorward::http {

// Runs on the core of the connection and must end on it (net::offloaded() and Core::switch_to() see to that). What it
// throws becomes 500.
using Route = std::function<Task<Response>(Request)>;

struct Limits {
  size_t header = 16 << 10;                    // octets of request line and headers; more: 431
  uint64_t body = 1 << 20;                     // octets; more: 413
  unsigned connections = 200;                  // at once; more: 503, or with TLS the end
  unsigned connections_per_address = 200;      // likewise
  std::chrono::milliseconds request{30'000};   // for a whole request to come; later: 408
  std::chrono::milliseconds response{30'000};  // for a response to be taken
  std::chrono::milliseconds idle{60'000};      // between two requests
};

class Server {
 public:
  explicit Server(net::Cores& cores, Limits limits = {});
  ~Server();  // stop()
  // A path that ends in "/" takes everything below it, the longest such prefix first; any other is exact. HEAD is
  // answered by GET's route. Only before start().
  void route(std::string method, std::string path, Route route);
  Result<void> bind(const net::Endpoint& at);
  // From now on new connections begin with TLS; from any thread.
  void set_tls(std::shared_ptr<const net::TlsServerContext> tls);
  void start();
  void stop();                                   // no new connections; those that are open are closed
  std::vector<net::Endpoint> addresses() const;  // bound ones, with the ports that were chosen
  unsigned connections() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the sessions
  std::vector<std::unique_ptr<net::Listener>> listeners_;
};

}  // namespace doorward::http
