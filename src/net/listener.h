// Listening sockets: one a core on the same address (SO_REUSEPORT), so that the kernel spreads the connections.
#pragma once

#include <functional>
#include <memory>

#include "net/connection.h"
#include "net/core.h"

namespace doorward::net {

// Bound in the constructor's stead by bind(), so that root can be dropped between binding and accepting.
class Listener {
 public:
  static Result<std::unique_ptr<Listener>> bind(Cores& cores, const Endpoint& at, int backlog = 1024);
  ~Listener();
  // Calls `take` on the core that accepted, for each connection. Out of descriptors: waits and tries again, with a log
  // line.
  void start(std::function<void(Connection)> take);
  void stop();             // no new ones; from any thread
  Endpoint local() const;  // the port that was chosen, if 0 was asked for

 private:
  struct State;
  explicit Listener(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace doorward::net
