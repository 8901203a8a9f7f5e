// /metrics, /healthz and /readyz.
#pragma once

#include <memory>

#include "base/error.h"
#include "net/connection.h"

namespace doorward::net {
class Cores;
}

namespace doorward::app {

class Health {
 public:
  static Result<std::unique_ptr<Health>> bind(net::Cores& cores, const net::Endpoint& at);
  ~Health();
  void start();
  void set_ready(bool ready);  // what /readyz answers; from any thread
  net::Endpoint address() const;

 private:
  struct State;
  explicit Health(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::app
