// The wiring: one running gateway, made from its configuration. The only place where concrete things are chosen.
#pragma once

#include <memory>
#include <optional>

#include "app/config.h"
#include "app/privileges.h"
#include "base/error.h"

namespace doorward::app {

class Node {
 public:
  // Opens stores and binds the listeners; accepts nothing yet, so that root can be given up before start().
  // What is stored belongs to `account`, where there is one to become.
  static Result<std::unique_ptr<Node>> open(NodeConfig config, const std::optional<Account>& account);
  ~Node();

  Result<void> start();
  // Takes the new configuration's tenants, certificates and log target; what needs a restart is said in the log. A
  // configuration that is wrong changes nothing.
  Result<void> reload(NodeConfig config);
  // No new connections, present transactions end; true when the last session has gone.
  void drain();
  bool is_drained() const;

 private:
  struct State;
  explicit Node(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::app
