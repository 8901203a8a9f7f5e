// A core of its own for a test, and coroutines run on it to their end.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <optional>

#include "net/core.h"

namespace doorward::net::test {

class Loop {
 public:
  Loop() : cores_(1) { cores_.start(); }
  Cores& cores() { return cores_; }
  Core& core() { return cores_.at(0); }

  // Runs the coroutine on the core and waits for its end; what it throws is thrown here.
  void run(std::move_only_function<Task<void>()> make) {
    std::promise<void> done;
    core().post([&] { spawn(wrap(make, done)); });
    auto future = done.get_future();
    ASSERT_EQ(future.wait_for(std::chrono::seconds(20)), std::future_status::ready) << "the coroutine hangs";
    future.get();
  }

 private:
  static Task<void> wrap(std::move_only_function<Task<void>()>& make, std::promise<void>& done) {
    std::exception_ptr failure;
    try {
      co_await make();
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) {
      done.set_exception(failure);
    } else {
      done.set_value();
    }
  }
  Cores cores_;
};

}  // namespace doorward::net::test
