// Where the parser notes what a well-made message does not have; bounded, so that a hostile mail cannot fill memory
// with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mime/message.h"

namespace doorward::mime {

class Oddities {
 public:
  // `name` is a literal. Evidence is cut to 80 printable characters.
  void add(std::string_view name, size_t part, std::string_view evidence = {});
  std::span<const Oddity> all() const { return oddities_; }

 private:
  std::vector<Oddity> oddities_;
};

}  // namespace doorward::mime
