// A core on a thread of its own, on which a test runs coroutines and waits for them.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <thread>
#include <utility>

#include "base/task.h"
#include "net/core.h"

namespace doorward::test {

class CoreRunner {
 public:
  CoreRunner() : thread_([this] { core_.run(); }) {}
  ~CoreRunner() {
    core_.stop();
    thread_.join();
  }
  net::Core& core() { return core_; }

  // Calls `make` on the core and waits for its task; what it captures must live until then. Use EXPECT in it, not
  // ASSERT.
  template <class Make>
  void run(Make&& make) {
    std::promise<void> done;
    core_.post([&] { spawn(finish(make, done)); });
    auto future = done.get_future();
    if (future.wait_for(std::chrono::seconds(40)) != std::future_status::ready) {
      std::fprintf(stderr, "a coroutine hangs\n");
      std::abort();
    }
  }

 private:
  template <class Make>
  static Task<void> finish(Make& make, std::promise<void>& done) {
    try {
      co_await make();
    } catch (const std::exception& failure) {
      ADD_FAILURE() << failure.what();
    }
    done.set_value();
  }

  net::Core core_{0};
  std::thread thread_;
};

}  // namespace doorward::test
