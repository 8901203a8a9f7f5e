// The one thread that teaches the word statistics: sessions hand it what is to be learnt and go on.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>

#include "trust/word_statistics.h"

namespace doorward::gateway {

class Learner {
 public:
  explicit Learner(trust::WordStatistics& statistics);
  ~Learner();  // learns what waits, then flushes
  Learner(const Learner&) = delete;
  Learner& operator=(const Learner&) = delete;

  // From any thread. When too much waits, the newest is dropped and counted: learning may lose, mail may not.
  void learn(trust::Features features, uint64_t customer, trust::Label label);

 private:
  struct Lesson {
    trust::Features features;
    uint64_t customer;
    trust::Label label;
  };
  void run();

  trust::WordStatistics& statistics_;
  std::mutex lock_;
  std::condition_variable wake_;
  std::deque<Lesson> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace doorward::gateway
