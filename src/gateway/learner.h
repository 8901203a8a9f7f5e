// The one thread that writes what the filters remember: sessions hand it what is to be learnt and go on.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "trust/correspondence.h"
#include "trust/greylist.h"
#include "trust/sightings.h"
#include "trust/word_statistics.h"

namespace doorward::gateway {

// What is remembered. All outlive whoever uses them; each may be null: then nothing of its kind is.
struct Memory {
  trust::WordStatistics* statistics = nullptr;
  trust::Sightings* sightings = nullptr;
  trust::Correspondence* correspondence = nullptr;
  trust::Greylist* greylist = nullptr;
};

class Learner {
 public:
  explicit Learner(Memory memory);
  ~Learner();  // learns what waits, then flushes
  Learner(const Learner&) = delete;
  Learner& operator=(const Learner&) = delete;

  // All from any thread. When too much waits, the newest is dropped and counted: learning may lose, mail may not.
  void learn(trust::Features features, uint64_t customer, trust::Label label);
  void saw(const trust::Fingerprint& print, trust::Sender sender, SystemTime now);  // in a mail that came in
  void sent(const trust::Fingerprint& print, SystemTime now);                       // by our own users, and clean
  void note(trust::SentMail mail, SystemTime now);
  void note(trust::ReceivedMail mail, SystemTime now);
  void note(trust::Attempt attempt, SystemTime now);
  // By an administrator; waits until it is done. False: too much waits.
  bool set_trust(uint64_t customer, const trust::Correspondent& whom, double level, SystemTime now);

 private:
  using Job = std::move_only_function<void()>;
  bool add(Job job);
  void run();
  bool flush();

  Memory memory_;
  std::mutex lock_;
  std::condition_variable wake_;
  std::deque<Job> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace doorward::gateway
