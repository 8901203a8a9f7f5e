// The one thread that teaches the word statistics and counts fingerprints: sessions hand it what is to be learnt and go
// on.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "trust/sightings.h"
#include "trust/word_statistics.h"

namespace doorward::gateway {

class Learner {
 public:
  // Without `sightings` no fingerprint is counted.
  explicit Learner(trust::WordStatistics& statistics, trust::Sightings* sightings = nullptr);
  ~Learner();  // learns what waits, then flushes
  Learner(const Learner&) = delete;
  Learner& operator=(const Learner&) = delete;

  // From any thread. When too much waits, the newest is dropped and counted: learning may lose, mail may not.
  void learn(trust::Features features, uint64_t customer, trust::Label label);
  void saw(const trust::Fingerprint& print, trust::Sender sender, SystemTime now);  // in a mail that came in
  void sent(const trust::Fingerprint& print, SystemTime now);                       // by our own users, and clean

 private:
  struct Lesson {
    trust::Features features;
    uint64_t customer;
    trust::Label label;
  };
  struct Sight {
    trust::Fingerprint print;
    std::optional<trust::Sender> sender;  // none: our own users
    SystemTime time;
  };
  template <class Item>
  void add(std::deque<Item>& to, Item item);
  void run();
  void learn_all(const std::deque<Lesson>& lessons, const std::deque<Sight>& sights);
  void flush();

  trust::WordStatistics& statistics_;
  trust::Sightings* sightings_;
  std::mutex lock_;
  std::condition_variable wake_;
  std::deque<Lesson> waiting_;
  std::deque<Sight> sights_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace doorward::gateway
