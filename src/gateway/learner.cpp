#include "gateway/learner.h"

#include <chrono>
#include <utility>

#include "base/guarded.h"
#include "base/log.h"
#include "base/metrics.h"

namespace doorward::gateway {
namespace {

constexpr size_t kMostWaiting = 2'000;
constexpr std::chrono::seconds kFlushEvery{1};  // what a crash may take of the learning (DESIGN §3, Threads)

metrics::Counter& learnt(trust::Label label) {
  static auto& ham =
      metrics::counter("doorward_mails_learnt_total", "Mails that were learnt from.", {{"label", "ham"}});
  static auto& spam =
      metrics::counter("doorward_mails_learnt_total", "Mails that were learnt from.", {{"label", "spam"}});
  return label == trust::Label::ham ? ham : spam;
}

}  // namespace

Learner::Learner(trust::WordStatistics& statistics) : statistics_(statistics), thread_([this] { run(); }) {}

Learner::~Learner() {
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Learner::learn(trust::Features features, uint64_t customer, trust::Label label) {
  static auto& dropped = metrics::counter("doorward_lessons_dropped_total", "Mails not learnt as too many waited.");
  bool wake = false;
  {
    const std::lock_guard guard(lock_);
    if (waiting_.size() >= kMostWaiting) {
      dropped.add();
      return;
    }
    wake = waiting_.empty();
    waiting_.push_back({std::move(features), customer, label});
  }
  if (wake) wake_.notify_one();
}

void Learner::run() {
  auto flushed = std::chrono::steady_clock::now();
  bool unsaved = false;
  const auto flush = [&] {
    flushed = std::chrono::steady_clock::now();
    unsaved = false;
    if (const auto done = statistics_.flush(); !done)
      log::error("learner.flush_failed", {{"error", done.error().text()}});
  };
  for (;;) {
    std::deque<Lesson> lessons;
    bool last = false;
    {
      std::unique_lock guard(lock_);
      const auto ready = [this] { return stopping_ || !waiting_.empty(); };
      if (unsaved) {
        wake_.wait_until(guard, flushed + kFlushEvery, ready);
      } else {
        wake_.wait(guard, ready);
      }
      lessons.swap(waiting_);
      last = stopping_;
    }
    for (const auto& lesson : lessons) {
      unsaved = true;
      const bool done = guarded("learner", [&] { statistics_.learn(lesson.features, lesson.customer, lesson.label); });
      if (done) learnt(lesson.label).add();
    }
    if (unsaved && (last || std::chrono::steady_clock::now() - flushed >= kFlushEvery)) guarded("learner", flush);
    if (last) return;
  }
}

}  // namespace doorward::gateway
