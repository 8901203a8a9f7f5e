// One process at a time in a directory.
#pragma once

#include <string>

#include "base/error.h"

namespace doorward::vault {

class PlaceLock {
 public:
  // An error where another process (or another of this one) holds it; it says who.
  static Result<PlaceLock> take(const std::string& file);
  PlaceLock(PlaceLock&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  PlaceLock& operator=(PlaceLock&&) = delete;
  ~PlaceLock();

 private:
  explicit PlaceLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace doorward::vault
