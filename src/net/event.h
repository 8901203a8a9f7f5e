// Something that one coroutine waits for, on one core, until a deadline.
#pragma once

#include <coroutine>

#include "base/clock.h"
#include "base/task.h"
#include "net/core.h"

namespace doorward::net {

class Event {
 public:
  explicit Event(Core& core) : core_(core) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // On the core, once. True: it happened; false: the deadline came first, or the core stops.
  Task<bool> wait(SteadyTime deadline);
  // On the core. Whoever waits goes on before this returns.
  void happen();

 private:
  class Wait;
  Core& core_;
  bool happened_ = false;
  Wait* wait_ = nullptr;
};

}  // namespace doorward::net
