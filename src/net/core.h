// The event loops: one a core, each with its own thread. What starts on a core stays on it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "base/offload.h"
#include "base/task.h"

namespace boost::asio {
class io_context;
}

namespace doorward::net {

class Core {
 public:
  struct State;  // net/'s own
  explicit Core(unsigned index);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  unsigned index() const { return index_; }
  boost::asio::io_context& io();
  void run();                                        // until stop(); on the thread that is to be this core
  void stop();                                       // from any thread
  void post(std::move_only_function<void()> work);   // from any thread; runs on the core
  Task<void> sleep(std::chrono::milliseconds time);  // from a coroutine of this core; also ends when the core stops
  // Goes on on this core: for coroutines that were resumed elsewhere.
  Task<void> switch_to();

 private:
  unsigned index_;
  std::unique_ptr<State> state_;
};

// N cores with their threads.
class Cores {
 public:
  explicit Cores(unsigned count);
  ~Cores();  // stop() and join
  void start();
  void stop();
  void join();
  unsigned count() const;
  Core& at(unsigned index);

 private:
  std::vector<std::unique_ptr<Core>> cores_;
  struct Threads;
  std::unique_ptr<Threads> threads_;
};

// Runs `work` in the offload pool and goes on on `core` when it is done; false when the pool is full (work did not
// run). What `work` throws is thrown here.
Task<bool> offloaded(Core& core, Offload& pool, std::move_only_function<void()> work);

}  // namespace doorward::net
