// The file system as the journal sees it: handed in, so that a test can fill it up, break it, and cut its power.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace doorward::journal {

// An open file. Errors name the file.
class File {
 public:
  virtual ~File() = default;
  // All of it, at that offset, or an error: then any part of it may be there.
  virtual Result<void> write(uint64_t offset, std::span<const std::string_view> pieces) = 0;
  // What was written is on stable storage. After an error nothing is known of what was written since the last success,
  // and a second call may lie (the kernel drops the pages that it could not write).
  virtual Result<void> sync() = 0;
  virtual Result<void> truncate(uint64_t size) = 0;
  // Up to `octets`, fewer at the end of the file. From any thread.
  virtual Result<std::string> read(uint64_t offset, size_t octets) const = 0;
  virtual Result<uint64_t> size() const = 0;
};

class Disk {
 public:
  virtual ~Disk() = default;
  virtual Result<void> make_directory(const std::string& path) = 0;
  virtual Result<std::unique_ptr<File>> create(const std::string& path) = 0;      // an error where it is there already
  virtual Result<std::unique_ptr<File>> open(const std::string& path) const = 0;  // to read
  virtual Result<std::vector<std::string>> list(const std::string& directory) const = 0;  // names of files, unsorted
  virtual Result<void> remove(const std::string& path) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  // Names that were made, removed or changed in it are on stable storage.
  virtual Result<void> sync_directory(const std::string& path) = 0;
  // Only one process has it at a time; it is given back when the result goes. An error where another one has it.
  virtual Result<std::unique_ptr<File>> lock(const std::string& path) = 0;
  virtual uint64_t free_octets(const std::string& path) const = 0;  // 0 where it cannot be told
};

// The machine's own. Stateless, and safe from any thread.
Disk& real_disk();

}  // namespace doorward::journal
