// A local stream socket with deadlines, in lines. For threads that may block.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace doorward::app {

class LocalSocket {
 public:
  LocalSocket() = default;
  explicit LocalSocket(int descriptor) : descriptor_(descriptor) {}
  ~LocalSocket();
  LocalSocket(LocalSocket&& other) noexcept;
  LocalSocket& operator=(LocalSocket&& other) noexcept;

  // None: nobody listens there (or nobody ever did).
  static Result<std::optional<LocalSocket>> connect(const std::string& path);
  // Its name is given to root and the calling account alone.
  static Result<LocalSocket> listen(const std::string& path);

  // None: nobody came in that time.
  std::optional<LocalSocket> accept(std::chrono::milliseconds longest) const;
  bool is_from_root_or_us() const;  // the other end, as the kernel knows it

  // Without its end; none where the other end has closed. An error past `most` octets or `longest` in all.
  Result<std::optional<std::string>> read_line(size_t most, std::chrono::milliseconds longest);
  // False where it cannot be written in that time.
  bool write(std::string_view text, std::chrono::milliseconds longest) const;

 private:
  int descriptor_ = -1;
  std::string read_{};  // beyond the last line
};

}  // namespace doorward::app
