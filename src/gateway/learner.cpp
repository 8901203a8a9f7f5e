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

Learner::Learner(trust::WordStatistics& statistics, trust::Sightings* sightings)
    : statistics_(statistics), sightings_(sightings), thread_([this] { run(); }) {}

Learner::~Learner() {
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

template <class Item>
void Learner::add(std::deque<Item>& to, Item item) {
  static auto& dropped = metrics::counter("doorward_lessons_dropped_total", "Mails not learnt as too many waited.");
  bool wake = false;
  {
    const std::lock_guard guard(lock_);
    if (to.size() >= kMostWaiting) {
      dropped.add();
      return;
    }
    wake = waiting_.empty() && sights_.empty();
    to.push_back(std::move(item));
  }
  if (wake) wake_.notify_one();
}

void Learner::learn(trust::Features features, uint64_t customer, trust::Label label) {
  add(waiting_, Lesson{std::move(features), customer, label});
}

void Learner::saw(const trust::Fingerprint& print, trust::Sender sender, SystemTime now) {
  if (sightings_ != nullptr) add(sights_, Sight{print, sender, now});
}

void Learner::sent(const trust::Fingerprint& print, SystemTime now) {
  if (sightings_ != nullptr) add(sights_, Sight{print, std::nullopt, now});
}

void Learner::learn_all(const std::deque<Lesson>& lessons, const std::deque<Sight>& sights) {
  for (const auto& lesson : lessons) {
    const bool done = guarded("learner", [&] { statistics_.learn(lesson.features, lesson.customer, lesson.label); });
    if (done) learnt(lesson.label).add();
  }
  for (const auto& sight : sights) {
    guarded("learner", [&] {
      if (sight.sender) {
        sightings_->count(sight.print, *sight.sender, sight.time);
      } else {
        sightings_->count_own(sight.print, sight.time);
      }
    });
  }
}

void Learner::flush() {
  if (const auto done = statistics_.flush(); !done)
    log::error("learner.flush_failed", {{"error", done.error().text()}});
  if (sightings_ == nullptr) return;
  if (const auto done = sightings_->flush(); !done)
    log::error("learner.flush_failed", {{"error", done.error().text()}});
}

void Learner::run() {
  auto flushed = std::chrono::steady_clock::now();
  bool unsaved = false;
  for (;;) {
    std::deque<Lesson> lessons;
    std::deque<Sight> sights;
    bool last = false;
    {
      std::unique_lock guard(lock_);
      const auto ready = [this] { return stopping_ || !waiting_.empty() || !sights_.empty(); };
      if (unsaved) {
        wake_.wait_until(guard, flushed + kFlushEvery, ready);
      } else {
        wake_.wait(guard, ready);
      }
      lessons.swap(waiting_);
      sights.swap(sights_);
      last = stopping_;
    }
    unsaved = unsaved || !lessons.empty() || !sights.empty();
    learn_all(lessons, sights);
    if (unsaved && (last || std::chrono::steady_clock::now() - flushed >= kFlushEvery)) {
      flushed = std::chrono::steady_clock::now();
      unsaved = false;
      guarded("learner", [this] { flush(); });
    }
    if (last) return;
  }
}

}  // namespace doorward::gateway
