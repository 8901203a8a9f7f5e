#include "app/maildir.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <vector>

namespace doorward::app {
namespace {

std::unexpected<Error> failed(const char* doing, const std::string& where, int error) {
  return fail(fmt::format("{}: {}", doing, std::strerror(error)), where, Blame::environment);
}

bool write_all(int file, std::span<const std::string_view> pieces) {
  std::vector<iovec> parts;
  parts.reserve(pieces.size());
  for (const std::string_view piece : pieces)
    if (!piece.empty()) parts.push_back({const_cast<char*>(piece.data()), piece.size()});  // writev only reads
  size_t first = 0;
  while (first < parts.size()) {
    const ssize_t written =
        ::writev(file, parts.data() + first, static_cast<int>(std::min<size_t>(parts.size() - first, 64)));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    size_t left = static_cast<size_t>(written);
    while (first < parts.size() && left >= parts[first].iov_len) left -= parts[first++].iov_len;
    if (first < parts.size()) {
      parts[first].iov_base = static_cast<char*>(parts[first].iov_base) + left;
      parts[first].iov_len -= left;
    }
  }
  return true;
}

void sync_directory(const std::string& path) {
  const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  ::fsync(directory);
  ::close(directory);
}

}  // namespace

Result<std::string> Maildir::make(const std::string& path) {
  for (const char* part : {"tmp", "new", "cur"}) {
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path) / part, error);
    if (error) return failed("cannot make the Maildir", path, error.value());
  }
  return path;
}

Maildir::Maildir(std::string path, std::string host_name, bool fsync)
    : path_(std::move(path)), host_(std::move(host_name)), fsync_(fsync) {
  for (char& c : host_)
    if (c == '/' || c == ':') c = '_';
}

Result<void> Maildir::store(std::span<const std::string_view> pieces) {
  const auto at = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at);
  const auto micro = std::chrono::duration_cast<std::chrono::microseconds>(at - seconds);
  const std::string name = fmt::format("{}.M{:06}P{}Q{}.{}", seconds.count(), micro.count(), ::getpid(),
                                       count_.fetch_add(1, std::memory_order_relaxed), host_);
  const std::string temporary = path_ + "/tmp/" + name;
  const std::string final = path_ + "/new/" + name;
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return failed("cannot make the file", temporary, errno);
  bool good = write_all(file, pieces) && (!fsync_ || ::fsync(file) == 0);
  int error = errno;
  if (::close(file) != 0 && good) {
    good = false;
    error = errno;
  }
  if (good && ::rename(temporary.c_str(), final.c_str()) != 0) {
    good = false;
    error = errno;
  }
  if (!good) {
    ::unlink(temporary.c_str());
    return failed("cannot write the mail", temporary, error);
  }
  if (fsync_) sync_directory(path_ + "/new");
  return {};
}

}  // namespace doorward::app
