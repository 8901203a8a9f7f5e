#include "net/detail/deadline_queue.h"

#include <algorithm>

namespace doorward::net::detail {

DeadlineQueue::DeadlineQueue(boost::asio::io_context& io) : timer_(io) {}

void DeadlineQueue::place(Deadline* deadline, size_t position) {
  heap_[position] = deadline;
  deadline->position_ = position;
}

void DeadlineQueue::sift_up(size_t position) {
  Deadline* const moving = heap_[position];
  while (position > 0) {
    const size_t parent = (position - 1) / 2;
    if (heap_[parent]->armed_ <= moving->armed_) break;
    place(heap_[parent], position);
    position = parent;
  }
  place(moving, position);
}

void DeadlineQueue::sift_down(size_t position) {
  Deadline* const moving = heap_[position];
  for (;;) {
    size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->armed_ < heap_[child]->armed_) ++child;
    if (moving->armed_ <= heap_[child]->armed_) break;
    place(heap_[child], position);
    position = child;
  }
  place(moving, position);
}

void DeadlineQueue::set(Deadline& deadline, SteadyTime when) {
  deadline.wanted_ = when;
  if (deadline.position_ == Deadline::kAbsent) {
    deadline.armed_ = when;
    heap_.push_back(&deadline);
    sift_up(heap_.size() - 1);
  } else if (when < deadline.armed_) {
    deadline.armed_ = when;
    sift_up(deadline.position_);
  } else {
    return;
  }
  if (heap_.front()->armed_ < timer_at_) arm();
}

void DeadlineQueue::remove(Deadline& deadline) {
  const size_t hole = deadline.position_;
  if (hole == Deadline::kAbsent) return;
  deadline.position_ = Deadline::kAbsent;
  Deadline* const last = heap_.back();
  heap_.pop_back();
  if (last == &deadline) return;
  place(last, hole);
  sift_up(hole);
  sift_down(last->position_);
}

void DeadlineQueue::arm() {
  timer_at_ = heap_.front()->armed_;
  timer_.expires_at(timer_at_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) fire();
  });
}

void DeadlineQueue::fire() {
  timer_at_ = SteadyTime::max();
  const SteadyTime now = std::chrono::steady_clock::now();
  while (!heap_.empty() && heap_.front()->armed_ <= now) {
    Deadline* const first = heap_.front();
    if (first->wanted_ > now) {
      first->armed_ = first->wanted_;
      sift_down(0);
    } else {
      remove(*first);
      first->expired();  // may set and remove deadlines, so the heap is looked at afresh
    }
  }
  if (!heap_.empty() && heap_.front()->armed_ < timer_at_) arm();
}

void DeadlineQueue::expire_all() {
  while (!heap_.empty()) {
    Deadline* const first = heap_.front();
    remove(*first);
    first->expired();
  }
  timer_.cancel();
  timer_at_ = SteadyTime::max();
}

}  // namespace doorward::net::detail
