// Long work (parsing over 256 kB, fsync, SQL of the portal) runs here, never on a session's core.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace doorward {

// A fixed pool of threads with one bounded queue.
class Offload {
 public:
  explicit Offload(size_t threads, size_t most_waiting = 10'000);
  ~Offload();  // finishes what waits
  Offload(const Offload&) = delete;
  Offload& operator=(const Offload&) = delete;

  // Runs `work` on a thread of the pool; false when the queue is full (the caller answers "try again later").
  // What `work` throws is logged and counted, and the thread goes on.
  [[nodiscard]] bool post(std::move_only_function<void()> work);

 private:
  void run();

  std::mutex lock_;
  std::condition_variable wake_;
  std::deque<std::move_only_function<void()>> waiting_;
  size_t most_waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace doorward
