#include "sheet/points.h"

#include <fmt/format.h>

namespace doorward::sheet {

std::string Points::text() const {
  const int64_t whole = milli_ / 1000;
  int64_t rest = milli_ % 1000;
  if (rest < 0) rest = -rest;
  std::string text = fmt::format("{}{}", milli_ < 0 && whole == 0 ? "-" : "", whole);
  if (rest != 0) {
    text += fmt::format(".{:03}", rest);
    while (text.back() == '0') text.pop_back();
  }
  return text;
}

}  // namespace doorward::sheet
