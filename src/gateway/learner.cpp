#include "gateway/learner.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <utility>

#include "base/guarded.h"
#include "base/log.h"
#include "base/metrics.h"

namespace doorward::gateway {
namespace {

constexpr size_t kMostWaiting = 4'000;
// What comes meanwhile is taken along: to be woken for each mail costs as much as many of its lessons.
constexpr std::chrono::milliseconds kGather{20};
constexpr std::chrono::seconds kFlushEvery{1};  // what a crash may take of the learning (DESIGN §3, Threads)

metrics::Counter& learnt(trust::Label label) {
  static auto& ham =
      metrics::counter("doorward_mails_learnt_total", "Mails that were learnt from.", {{"label", "ham"}});
  static auto& spam =
      metrics::counter("doorward_mails_learnt_total", "Mails that were learnt from.", {{"label", "spam"}});
  return label == trust::Label::ham ? ham : spam;
}

// False: it is to be tried again.
template <class Store>
bool flush_one(Store* store) {
  if (store == nullptr) return true;
  const auto done = store->flush();
  if (!done) log::error("learner.flush_failed", {{"error", done.error().text()}});
  return done.has_value();
}

}  // namespace

Learner::Learner(Memory memory) : memory_(memory), thread_([this] { run(); }) {}

Learner::~Learner() {
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

bool Learner::add(Job job) {
  static auto& dropped = metrics::counter("doorward_lessons_dropped_total",
                                          "Things to be learnt of a mail that were not, as too many waited.");
  bool wake = false;
  {
    const std::lock_guard guard(lock_);
    if (waiting_.size() >= kMostWaiting) {
      dropped.add();
      return false;
    }
    wake = waiting_.empty();
    waiting_.push_back(std::move(job));
  }
  if (wake) wake_.notify_one();
  return true;
}

void Learner::learn(trust::Features features, uint64_t customer, trust::Label label) {
  if (memory_.statistics == nullptr) return;
  add([this, features = std::move(features), customer, label] {
    memory_.statistics->learn(features, customer, label);
    learnt(label).add();
  });
}

void Learner::saw(const trust::Fingerprint& print, trust::Sender sender, SystemTime now) {
  if (memory_.sightings == nullptr) return;
  add([this, print, sender, now] { memory_.sightings->count(print, sender, now); });
}

void Learner::sent(const trust::Fingerprint& print, SystemTime now) {
  if (memory_.sightings == nullptr) return;
  add([this, print, now] { memory_.sightings->count_own(print, now); });
}

void Learner::note(trust::SentMail mail, SystemTime now) {
  if (memory_.correspondence == nullptr) return;
  add([this, mail = std::move(mail), now] { memory_.correspondence->sent(mail, now); });
}

void Learner::note(trust::ReceivedMail mail, SystemTime now) {
  if (memory_.correspondence == nullptr) return;
  add([this, mail = std::move(mail), now] { memory_.correspondence->received(mail, now); });
}

void Learner::note(trust::Attempt attempt, SystemTime now) {
  if (memory_.greylist == nullptr) return;
  add([this, attempt = std::move(attempt), now] { memory_.greylist->note(attempt, now); });
}

bool Learner::set_trust(uint64_t customer, const trust::Correspondent& whom, double level, SystemTime now) {
  if (memory_.correspondence == nullptr) return false;
  std::promise<void> done;
  auto is_done = done.get_future();
  const bool added = add([&, done = std::move(done)]() mutable {
    memory_.correspondence->set(customer, whom, level, now);
    done.set_value();
  });
  if (!added) return false;
  is_done.wait();
  return true;
}

// The largest last, whose snapshot takes the longest.
bool Learner::flush() {
  const bool all[] = {flush_one(memory_.correspondence), flush_one(memory_.greylist), flush_one(memory_.sightings),
                      flush_one(memory_.statistics)};
  return std::ranges::all_of(all, std::identity());
}

void Learner::run() {
  auto flushed = std::chrono::steady_clock::now();
  bool unsaved = false;
  for (;;) {
    std::deque<Job> jobs;
    bool last = false;
    {
      std::unique_lock guard(lock_);
      const auto ready = [this] { return stopping_ || !waiting_.empty(); };
      if (unsaved) {
        wake_.wait_until(guard, flushed + kFlushEvery, ready);
      } else {
        wake_.wait(guard, ready);
      }
      if (!stopping_ && !waiting_.empty()) wake_.wait_for(guard, kGather, [this] { return stopping_; });
      jobs.swap(waiting_);
      last = stopping_;
    }
    unsaved = unsaved || !jobs.empty();
    for (auto& job : jobs) guarded("learner", job);
    jobs.clear();
    const auto now = std::chrono::steady_clock::now();
    if (unsaved && (last || now >= flushed + kFlushEvery)) {
      bool saved = false;
      guarded("learner", [&] { saved = flush(); });
      flushed = now;
      unsaved = !saved;
    }
    if (last) return;
  }
}

}  // namespace doorward::gateway
