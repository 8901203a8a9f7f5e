// The inside of a Core: for net/'s own sources only.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>
#include <optional>

#include "net/core.h"
#include "net/detail/deadline_queue.h"

namespace doorward::net {

namespace detail {

// What holds a socket on a core: told when the core stops, so that whatever waits on it ends instead of being
// forgotten.
class Resident : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual void core_stops() = 0;

 protected:
  ~Resident() = default;
};

}  // namespace detail

struct Core::State {
  boost::asio::io_context io{1};  // one thread runs it
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work{io.get_executor()};
  detail::DeadlineQueue deadlines{io};
  boost::intrusive::list<detail::Resident, boost::intrusive::constant_time_size<false>> residents;
  bool stopping = false;  // only looked at on the core

  static State& of(Core& core) { return *core.state_; }
  void end_everything();
};

}  // namespace doorward::net
