#include "vault/place_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace doorward::vault {

Result<PlaceLock> PlaceLock::take(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return fail(fmt::format("the lock cannot be opened: {}", std::strerror(errno)), file);
  PlaceLock lock(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 24> holder{};
    const ssize_t read = ::pread(descriptor, holder.data(), holder.size() - 1, 0);
    return fail(fmt::format("the vault is in use by process {}", read > 0 ? holder.data() : "?"), file);
  }
  // For whoever finds it taken; the lock itself does not depend on it.
  const std::string self = fmt::format("{}", ::getpid());
  if (::ftruncate(descriptor, 0) == 0) (void)!::pwrite(descriptor, self.data(), self.size(), 0);
  return lock;
}

PlaceLock::~PlaceLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace doorward::vault
