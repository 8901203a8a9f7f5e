// The open elements of an HTML document and what each lets be seen: a bounded stack, not a tree.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "mime/html_names.h"
#include "mime/style.h"

namespace doorward::mime {

struct Box {
  uint32_t name = 0;  // hash
  Tag tag = Tag::unknown;
  bool gone = false;       // not shown, and nothing inside can be
  bool invisible = false;  // a child may be visible again
  bool preserve = false;   // white space stands
  float size = 16;         // of the font, px
  Colour colour{0, 0, 0}, background{255, 255, 255};
  bool hidden() const;
};

class Boxes {
 public:
  Boxes() {
    stack_.reserve(64);
    stack_.emplace_back();
  }
  const Box& top() const { return stack_.back(); }
  Box& mutable_top() { return stack_.back(); }
  size_t depth() const { return stack_.size() - 1; }

  // False when too deep: the element is only counted.
  bool push(Box box);
  // The box that an element with that style gets inside the top one.
  Box inside(Tag tag, uint32_t name, const Style& style) const;

  // What an end tag or an implied end closes, innermost first; `closed` is called for each. Returns whether any was.
  template <class Closed>
  bool close(Tag tag, uint32_t name, Closed closed) {
    return pop(find(tag, name), closed);
  }
  // Elements that a start tag ends by itself: <li> a <li>, <td> a <td>, any block a <p> (HTML standard §13.1.2.4).
  template <class Closed>
  void close_implied(Tag opening, Closed closed) {
    pop(find_implied(opening), closed);
  }
  bool leave_overflow() {
    if (overflow_ == 0) return false;
    --overflow_;
    return true;
  }

 private:
  // 0 if there is none in scope.
  size_t find(Tag tag, uint32_t name) const;
  size_t find_implied(Tag opening) const;
  template <class Closed>
  bool pop(size_t down_to, Closed closed) {
    if (down_to == 0) return false;
    while (stack_.size() > down_to) {
      --open_[stack_.back().name & 255];
      const Box box = stack_.back();
      stack_.pop_back();
      closed(box);
    }
    return true;
  }

  std::vector<Box> stack_;
  std::array<uint16_t, 256> open_{};  // by hash: most stray end tags are told without looking through the stack
  size_t overflow_ = 0;
};

bool is_block(Tag tag);
bool is_void(Tag tag);

}  // namespace doorward::mime
