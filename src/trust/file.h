// A file by its descriptor, closed at the end.
#pragma once

#include <cstddef>
#include <utility>

namespace doorward::trust {

class File {
 public:
  File() = default;
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~File();
  int get() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }

  // All of it, or false with errno set; read() is false at the end of the file too.
  bool write(const void* data, size_t size) const;
  bool read(void* data, size_t size) const;

 private:
  int descriptor_ = -1;
};

}  // namespace doorward::trust
