// The control socket: how a command reaches the running gateway. A Unix-domain socket in the state directory, for root
// and the gateway's own account alone. One request a connection, a line of JSON; the answer is lines of JSON, the last
// of which is {"end":true} or {"error":"…"}. docs/queue.md describes it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace doorward::app {

inline constexpr size_t kMostRequest = size_t{64} << 10;  // octets

// One line, without its end; false: nobody listens any more.
using Answer = std::function<bool(std::string_view line)>;
// On one of the control socket's own threads, never on a core; it may block.
using ControlHandler = std::function<Result<void>(std::string_view request, const Answer& answer)>;

class Control {
 public:
  // Makes the socket, mode 0600, as whoever calls. One that a crash left behind is replaced; one that answers is not.
  static Result<std::unique_ptr<Control>> open(const std::string& path, ControlHandler handler);
  ~Control();    // stop(); removes the socket
  void start();  // two threads
  void stop();   // ends waiting requests; those under way are finished

 private:
  struct State;
  explicit Control(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Asks the gateway that listens there. None: nobody does. Each line of the answer but the last goes to `answer`.
enum class Asked : uint8_t { nobody, done };
Result<Asked> ask(const std::string& path, std::string_view request, const Answer& answer);

}  // namespace doorward::app
