#include "trust/file.h"

#include <unistd.h>

#include <cerrno>

namespace doorward::trust {

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool File::write(const void* data, size_t size) const {
  for (const char* at = static_cast<const char*>(data); size > 0;) {
    const ssize_t written = ::write(descriptor_, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

bool File::read(void* data, size_t size) const {
  for (char* at = static_cast<char*>(data); size > 0;) {
    const ssize_t got = ::read(descriptor_, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

}  // namespace doorward::trust
