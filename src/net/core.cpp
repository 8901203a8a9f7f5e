#include "net/core.h"

#include <boost/asio/post.hpp>
#include <csignal>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "base/log.h"
#include "net/detail/core_state.h"

namespace doorward::net {

namespace {

constexpr std::chrono::milliseconds kLastWords{500};  // for what was waiting when the core was stopped

void ignore_sigpipe() {
  // OpenSSL writes to sockets with write(2), which has no MSG_NOSIGNAL.
  static std::once_flag once;
  std::call_once(once, [] { std::signal(SIGPIPE, SIG_IGN); });
}

class Sleep final : public detail::Deadline {
 public:
  Sleep(detail::DeadlineQueue& queue, SteadyTime until) : queue_(queue), until_(until) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> sleeper) {
    sleeper_ = sleeper;
    queue_.set(*this, until_);
  }
  void await_resume() const noexcept {}
  void expired() override { sleeper_.resume(); }

 private:
  detail::DeadlineQueue& queue_;
  SteadyTime until_;
  std::coroutine_handle<> sleeper_;
};

struct Post {
  boost::asio::io_context& io;
  bool await_ready() const noexcept { return io.get_executor().running_in_this_thread(); }
  void await_suspend(std::coroutine_handle<> self) const {
    boost::asio::post(io, [self] { self.resume(); });
  }
  void await_resume() const noexcept {}
};

}  // namespace

Core::Core(unsigned index) : index_(index), state_(std::make_unique<State>()) { ignore_sigpipe(); }

Core::~Core() { state_->end_everything(); }

boost::asio::io_context& Core::io() { return state_->io; }

void Core::State::end_everything() {
  stopping = true;
  while (!residents.empty()) {
    detail::Resident& first = residents.front();
    residents.pop_front();
    first.core_stops();
  }
  deadlines.expire_all();
}

void Core::run() {
  for (;;) {
    try {
      state_->io.run();
      break;
    } catch (const std::exception& failure) {
      // Nothing but a broken invariant comes here; the other sessions of this core go on.
      log::error("net.core_exception", {{"core", index_}, {"what", failure.what()}});
    }
  }
  // The guard is gone: what was told to end gets the time to do so, and no more.
  state_->io.restart();
  state_->io.run_for(kLastWords);
}

void Core::stop() {
  boost::asio::post(state_->io, [state = state_.get()] {
    state->end_everything();
    state->work.reset();
    // Others' operations on this loop may still wait: they do not hold it.
    state->io.stop();
  });
}

void Core::post(std::move_only_function<void()> work) {
  boost::asio::post(state_->io, [run = std::move(work)]() mutable { run(); });
}

Task<void> Core::sleep(std::chrono::milliseconds time) {
  if (state_->stopping || time.count() < 0) co_return;
  co_await Sleep(state_->deadlines, std::chrono::steady_clock::now() + time);
}

Task<void> Core::switch_to() { co_await Post{state_->io}; }

struct Cores::Threads {
  std::vector<std::thread> running;
};

Cores::Cores(unsigned count) : threads_(std::make_unique<Threads>()) {
  for (unsigned i = 0; i < std::max(count, 1U); ++i) cores_.push_back(std::make_unique<Core>(i));
}

Cores::~Cores() {
  stop();
  join();
}

void Cores::start() {
  for (auto& core : cores_) threads_->running.emplace_back([core = core.get()] { core->run(); });
}

void Cores::stop() {
  for (auto& core : cores_) core->stop();
}

void Cores::join() {
  for (std::thread& thread : threads_->running) thread.join();
  threads_->running.clear();
}

unsigned Cores::count() const { return static_cast<unsigned>(cores_.size()); }
Core& Cores::at(unsigned index) { return *cores_.at(index); }

Task<bool> offloaded(Core& core, Offload& pool, std::move_only_function<void()> work) {
  struct Run {
    Core& core;
    Offload& pool;
    std::move_only_function<void()> work;
    bool posted = true;
    std::exception_ptr failure{};
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> self) {
      // Once it is posted, this object may be gone at any moment: nothing of it is touched afterwards.
      auto guard = boost::asio::make_work_guard(core.io());
      const bool taken = pool.post([this, self, held = std::move(guard)]() mutable {
        try {
          work();
        } catch (...) {
          failure = std::current_exception();
        }
        core.post([self] { self.resume(); });
        held.reset();
      });
      if (!taken) posted = false;
      return taken;
    }
    bool await_resume() const {
      if (failure) std::rethrow_exception(failure);
      return posted;
    }
  } run{core, pool, std::move(work)};
  co_return co_await run;
}

}  // namespace doorward::net
