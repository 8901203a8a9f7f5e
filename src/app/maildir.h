// A Maildir that mails are put into, each at once or not at all.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace doorward::app {

// https://cr.yp.to/proto/maildir.html: written under tmp/, then moved to new/. Safe from any thread.
class Maildir {
 public:
  // Makes the directory with tmp, new and cur where they are missing.
  static Result<std::string> make(const std::string& path);

  Maildir(std::string path, std::string host_name, bool fsync);
  // The pieces, one after the other, as one mail. CRLF line ends are kept.
  Result<void> store(std::span<const std::string_view> pieces);

 private:
  std::string path_;
  std::string host_;  // as names may have it: no "/" and no ":"
  bool fsync_;
  std::atomic<uint64_t> count_{0};
};

}  // namespace doorward::app
