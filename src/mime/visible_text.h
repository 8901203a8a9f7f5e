// Puts text together as a reader sees it: white space collapsed, characters without a shape dropped and counted.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace doorward::mime {

class VisibleText {
 public:
  VisibleText(std::string& out, size_t limit) : out_(out), limit_(limit) {}

  // UTF-8. White space becomes one blank, unless `preserve`: then line ends and blanks stand as they are.
  void append(std::string_view text, bool preserve = false);
  void space() { gap_ = gap_ == Gap::line ? Gap::line : Gap::space; }
  void line() { gap_ = Gap::line; }
  void hard_line();  // a line end that stands even after another
  size_t invisible() const { return invisible_; }
  bool full() const { return out_.size() >= limit_; }
  // Where the next visible character will stand, gap included.
  size_t position() const { return out_.size(); }

 private:
  enum class Gap { none, space, line };
  void fill_gap();
  size_t special(std::string_view text, size_t at, bool preserve);

  std::string& out_;
  size_t limit_;
  size_t invisible_ = 0;
  Gap gap_ = Gap::none;
};

}  // namespace doorward::mime
