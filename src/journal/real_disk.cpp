#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "journal/disk.h"

namespace doorward::journal {
namespace {

std::unexpected<Error> failed(std::string_view what, const std::string& path) {
  return fail(fmt::format("{}: {}", what, std::strerror(errno)), path, Blame::environment);
}

class RealFile final : public File {
 public:
  RealFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~RealFile() override { ::close(descriptor_); }

  Result<void> write(uint64_t offset, std::span<const std::string_view> pieces) override {
    std::array<iovec, 512> vectors;
    size_t begun = 0;  // octets of pieces.front() that are written
    while (!pieces.empty()) {
      const size_t count = std::min(pieces.size(), vectors.size());
      for (size_t i = 0; i < count; ++i) {
        const std::string_view piece = i == 0 ? pieces[0].substr(begun) : pieces[i];
        vectors[i] = {const_cast<char*>(piece.data()), piece.size()};
      }
      const ssize_t wrote = ::pwritev(descriptor_, vectors.data(), static_cast<int>(count), static_cast<off_t>(offset));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return failed("cannot write", path_);
      offset += static_cast<uint64_t>(wrote);
      begun += static_cast<size_t>(wrote);
      while (!pieces.empty() && begun >= pieces.front().size()) {
        begun -= pieces.front().size();
        pieces = pieces.subspan(1);
      }
    }
    return {};
  }

  Result<void> sync() override {
    if (::fdatasync(descriptor_) != 0) return failed("cannot make durable", path_);
    return {};
  }

  Result<void> truncate(uint64_t size) override {
    if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) return failed("cannot truncate", path_);
    return {};
  }

  Result<std::string> read(uint64_t offset, size_t octets) const override {
    std::string bytes(octets, '\0');
    size_t got = 0;
    while (got < octets) {
      const ssize_t now = ::pread(descriptor_, bytes.data() + got, octets - got, static_cast<off_t>(offset + got));
      if (now < 0 && errno == EINTR) continue;
      if (now < 0) return failed("cannot read", path_);
      if (now == 0) break;
      got += static_cast<size_t>(now);
    }
    bytes.resize(got);
    return bytes;
  }

  Result<uint64_t> size() const override {
    struct stat status{};
    if (::fstat(descriptor_, &status) != 0) return failed("cannot look at", path_);
    return static_cast<uint64_t>(status.st_size);
  }

 private:
  int descriptor_;
  std::string path_;
};

class RealDisk final : public Disk {
 public:
  Result<void> make_directory(const std::string& path) override {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return fail(fmt::format("cannot make the folder: {}", error.message()), path, Blame::environment);
    return {};
  }

  Result<std::unique_ptr<File>> create(const std::string& path) override {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) return failed("cannot create", path);
    return std::make_unique<RealFile>(descriptor, path);
  }

  Result<std::unique_ptr<File>> open(const std::string& path) const override {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return failed("cannot open", path);
    return std::make_unique<RealFile>(descriptor, path);
  }

  Result<std::vector<std::string>> list(const std::string& directory) const override {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
      names.push_back(entry.path().filename().string());
    }
    if (error) return fail(fmt::format("cannot list: {}", error.message()), directory, Blame::environment);
    return names;
  }

  Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return failed("cannot remove", path);
    return {};
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return failed("cannot rename", from);
    return {};
  }

  Result<void> sync_directory(const std::string& path) override {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return failed("cannot open", path);
    const int done = ::fsync(descriptor);
    ::close(descriptor);
    if (done != 0) return failed("cannot make durable", path);
    return {};
  }

  Result<std::unique_ptr<File>> lock(const std::string& path) override {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return failed("cannot open", path);
    auto file = std::make_unique<RealFile>(descriptor, path);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      return fail("another process has it: is a gateway running?", path, Blame::operator_);
    }
    return file;
  }

  uint64_t free_octets(const std::string& path) const override {
    struct statvfs status{};
    if (::statvfs(path.c_str(), &status) != 0) return 0;
    return static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
  }
};

}  // namespace

Disk& real_disk() {
  static RealDisk disk;
  return disk;
}

}  // namespace doorward::journal
