// Time is handed in, so that a test can own it.
#pragma once

#include <atomic>
#include <chrono>

namespace doorward {

using SystemTime = std::chrono::sys_time<std::chrono::milliseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual SystemTime now() const = 0;     // wall time, UTC; may jump
  virtual SteadyTime steady() const = 0;  // for intervals and deadlines; never jumps
};

class RealClock final : public Clock {
 public:
  SystemTime now() const override {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
  SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
};

// A clock that stands still until it is moved, by any thread.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(SystemTime start) : start_(start) {}
  SystemTime now() const override { return start_ + gone(); }
  SteadyTime steady() const override { return SteadyTime{} + gone(); }
  void advance(std::chrono::milliseconds by) { gone_ += by.count(); }

 private:
  std::chrono::milliseconds gone() const { return std::chrono::milliseconds{gone_.load()}; }

  SystemTime start_;
  std::atomic<std::chrono::milliseconds::rep> gone_{0};  // milliseconds since start_
};

}  // namespace doorward
