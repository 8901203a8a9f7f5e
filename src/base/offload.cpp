#include "base/offload.h"

#include <utility>

#include "base/guarded.h"

namespace doorward {

Offload::Offload(size_t threads, size_t most_waiting) : most_waiting_(most_waiting) {
  threads_.reserve(threads);
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Offload::~Offload() {
  {
    const std::lock_guard lock(lock_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool Offload::post(std::move_only_function<void()> work) {
  {
    const std::lock_guard lock(lock_);
    if (waiting_.size() >= most_waiting_) return false;
    waiting_.push_back(std::move(work));
  }
  wake_.notify_one();
  return true;
}

void Offload::run() {
  for (;;) {
    std::move_only_function<void()> work;
    {
      std::unique_lock lock(lock_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    guarded("offload", work);
  }
}

}  // namespace doorward
