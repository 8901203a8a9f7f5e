// Deadlines of one core in one heap behind one timer. Moving a deadline later costs nothing: the entry stays where it
// is and is looked at again when its old time has come.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <vector>

#include "base/clock.h"

namespace doorward::net::detail {

class Deadline {
 public:
  virtual void expired() = 0;

 protected:
  ~Deadline() = default;

 private:
  friend class DeadlineQueue;
  static constexpr size_t kAbsent = static_cast<size_t>(-1);
  SteadyTime wanted_{};
  SteadyTime armed_{};  // where it stands in the heap; never later than wanted_
  size_t position_ = kAbsent;
};

class DeadlineQueue {
 public:
  explicit DeadlineQueue(boost::asio::io_context& io);
  void set(Deadline& deadline, SteadyTime when);
  void remove(Deadline& deadline);
  // Lets every deadline expire now and the timer rest.
  void expire_all();

 private:
  void arm();
  void fire();
  void place(Deadline* deadline, size_t position);
  void sift_up(size_t position);
  void sift_down(size_t position);

  boost::asio::steady_timer timer_;
  SteadyTime timer_at_ = SteadyTime::max();
  std::vector<Deadline*> heap_;
};

}  // namespace doorward::net::detail
