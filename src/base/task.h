// Task<T>: a coroutine that starts when it is awaited and resumes its awaiter when it is done (symmetric transfer, so
// that a chain of a thousand awaits needs no stack). It knows nothing of sockets: net/ resumes it from the event loop.
//
// House rules: parameters of a coroutine that outlives its caller's full expression are taken by value; no capturing
// lambda coroutine outlives its lambda; every wait on the outside world has a deadline.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace doorward {

template <class T>
class Task;

namespace detail {

struct PromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::exception_ptr failure;

  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      return self.promise().continuation;
    }
    void await_resume() const noexcept {}
  };
  std::suspend_always initial_suspend() const noexcept { return {}; }
  Final final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { failure = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  template <class U>
    requires std::is_convertible_v<U&&, T>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() {
    if (failure) std::rethrow_exception(failure);
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() const noexcept {}
  void take() const {
    if (failure) std::rethrow_exception(failure);
  }
};

}  // namespace detail

template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;

  explicit Task(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}
  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (coroutine_) coroutine_.destroy();
      coroutine_ = std::exchange(other.coroutine_, {});
    }
    return *this;
  }
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }

  // Await once.
  auto operator co_await() && noexcept {
    struct Awaiter {
      std::coroutine_handle<promise_type> task;
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) const noexcept {
        task.promise().continuation = awaiter;
        return task;
      }
      T await_resume() const { return task.promise().take(); }
    };
    return Awaiter{coroutine_};
  }

 private:
  std::coroutine_handle<promise_type> coroutine_;
};

namespace detail {
template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

// A coroutine that runs at once and frees itself at its end.
struct Detached {
  struct promise_type {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }  // what is spawned handles its own failures
  };
};
}  // namespace detail

// Starts `task` now, on this thread, and lets it run by itself. An exception that leaves it ends the process.
inline void spawn(Task<void> task) {
  [](Task<void> owned) -> detail::Detached { co_await std::move(owned); }(std::move(task));
}

// Runs all tasks at once and returns their results in order; rethrows the first failure after all have ended.
template <class T>
Task<std::vector<T>> when_all(std::vector<Task<T>> tasks) {
  struct State {
    std::vector<std::optional<T>> results;
    std::exception_ptr failure;
    size_t running = 0;
    std::coroutine_handle<> waiter;
  } state;
  state.results.resize(tasks.size());
  state.running = tasks.size() + 1;  // the one more is this coroutine, so that nobody resumes it before it waits
  constexpr auto run = [](Task<T> task, State& all, size_t index) -> detail::Detached {
    try {
      all.results[index].emplace(co_await std::move(task));
    } catch (...) {
      if (!all.failure) all.failure = std::current_exception();
    }
    if (--all.running == 0) all.waiter.resume();
  };
  for (size_t i = 0; i < tasks.size(); ++i) run(std::move(tasks[i]), state, i);
  struct Wait {
    State& all;
    bool await_ready() const noexcept { return all.running == 1; }
    bool await_suspend(std::coroutine_handle<> self) const noexcept {
      all.waiter = self;
      return --all.running != 0;
    }
    void await_resume() const noexcept {}
  };
  co_await Wait{state};
  if (state.failure) std::rethrow_exception(state.failure);
  std::vector<T> results;
  results.reserve(state.results.size());
  for (auto& result : state.results) results.push_back(std::move(*result));
  co_return results;
}

}  // namespace doorward
