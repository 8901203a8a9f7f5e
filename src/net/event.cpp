#include "net/event.h"

#include <utility>

#include "net/detail/core_state.h"

namespace doorward::net {

class Event::Wait final : public detail::Deadline {
 public:
  Wait(Event& event, SteadyTime deadline) : event_(event), deadline_(deadline) {}
  ~Wait() {
    if (!waiter_) return;
    queue().remove(*this);
    event_.wait_ = nullptr;
  }
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  bool await_ready() const noexcept { return event_.happened_ || Core::State::of(event_.core_).stopping; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    event_.wait_ = this;
    queue().set(*this, deadline_);
  }
  bool await_resume() const noexcept { return event_.happened_; }

  void expired() override { go_on(); }
  void end() {
    queue().remove(*this);
    go_on();
  }

 private:
  detail::DeadlineQueue& queue() { return Core::State::of(event_.core_).deadlines; }
  void go_on() {
    event_.wait_ = nullptr;
    std::exchange(waiter_, nullptr).resume();
  }

  Event& event_;
  SteadyTime deadline_;
  std::coroutine_handle<> waiter_{};
};

Task<bool> Event::wait(SteadyTime deadline) { co_return co_await Wait(*this, deadline); }

void Event::happen() {
  happened_ = true;
  if (wait_ != nullptr) wait_->end();
}

}  // namespace doorward::net
