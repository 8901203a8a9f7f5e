// A session's read buffer: none while nothing was read, small for commands, larger while a message comes in fast.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace doorward::smtp {

class Input {
 public:
  std::string_view bytes() const { return {room_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  size_t capacity() const { return capacity_; }
  void consume(size_t size) {
    begin_ += size;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  // Room to read into behind what is there; the buffer has at least `capacity` octets then.
  std::span<char> room(size_t capacity) {
    if (capacity_ < capacity) {
      auto larger = std::make_unique_for_overwrite<char[]>(capacity);
      if (!empty()) std::memcpy(larger.get(), room_.get() + begin_, end_ - begin_);
      room_ = std::move(larger);
      capacity_ = capacity;
      end_ -= begin_;
      begin_ = 0;
    } else if (begin_ > 0 && end_ == capacity_) {
      std::memmove(room_.get(), room_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    return {room_.get() + end_, capacity_ - end_};
  }
  void filled(size_t size) { end_ += size; }

  // Gives back a buffer that is larger than what idle sessions may hold.
  void shrink(size_t capacity) {
    if (!empty() || capacity_ <= capacity) return;
    room_.reset();
    capacity_ = 0;
  }

 private:
  std::unique_ptr<char[]> room_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace doorward::smtp
