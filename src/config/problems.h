// What is wrong with a file, each with its line: all of it at once, so that nobody mends a file one error at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace doorward::config {

class Problems {
 public:
  explicit Problems(std::string file) : file_(std::move(file)) {}
  void add(uint32_t line, std::string what);
  // "unknown key 'lisener'; did you mean 'listener'?"
  void unknown(uint32_t line, std::string_view what, std::string_view name, std::span<const std::string_view> known);
  bool none() const { return lines_.empty(); }
  // All of them in the file's order, a line each "file:line: what". Precondition: !none().
  Error error() const;

 private:
  struct Line {
    uint32_t line;
    std::string what;
  };
  std::string file_;
  std::vector<Line> lines_;
  size_t more_ = 0;
};

}  // namespace doorward::config
