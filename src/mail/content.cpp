#include "mail/content.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace doorward::mail {
namespace {

constexpr size_t kFirstCapacity = 8 << 10;  // most mails need one or two allocations
constexpr size_t kFileBuffer = 64 << 10;

struct Freed {
  void operator()(char* memory) const { std::free(memory); }
};

// A file that has no name, so that nothing is left behind however the process ends.
int open_unlinked(const std::string& directory) {
  int file = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0) return file;
  std::string path = directory + "/doorward-XXXXXX";  // a file system without O_TMPFILE
  file = ::mkostemp(path.data(), O_CLOEXEC);
  if (file >= 0) ::unlink(path.c_str());
  return file;
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

struct Content::State {
  size_t spill_at = 0;
  std::string directory;
  std::string given;                    // Content::of
  std::unique_ptr<char, Freed> buffer;  // the content, or what is not yet in the file
  size_t capacity = 0;
  size_t used = 0;
  size_t in_file = 0;
  int file = -1;
  const char* mapped = nullptr;
  bool failed = false;
  bool finished = false;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (mapped != nullptr) ::munmap(const_cast<char*>(mapped), in_file);
    if (file >= 0) ::close(file);
  }

  // realloc moves the pages of large blocks instead of copying them, and zeroes nothing.
  void reserve(size_t wanted) {
    if (wanted <= capacity) return;
    const size_t larger = std::max({wanted, capacity * 2, kFirstCapacity});
    auto* moved = static_cast<char*>(std::realloc(buffer.get(), larger));
    if (moved == nullptr) throw std::bad_alloc();
    static_cast<void>(buffer.release());
    buffer.reset(moved);
    capacity = larger;
  }

  void keep(std::string_view bytes) {
    if (bytes.empty()) return;
    reserve(used + bytes.size());
    std::memcpy(buffer.get() + used, bytes.data(), bytes.size());
    used += bytes.size();
  }

  bool flush() {
    if (!write_all(file, {buffer.get(), used})) return false;
    in_file += used;
    used = 0;
    return true;
  }

  bool spill() {
    file = open_unlinked(directory);
    if (file < 0 || !flush()) return false;
    buffer.reset();
    capacity = 0;
    return true;
  }

  bool add(std::string_view bytes) {
    if (file < 0 && used + bytes.size() <= spill_at) {
      keep(bytes);
      return true;
    }
    if (file < 0 && !spill()) return false;
    if (used + bytes.size() > kFileBuffer && !flush()) return false;
    if (bytes.size() < kFileBuffer) {
      keep(bytes);
      return true;
    }
    if (!write_all(file, bytes)) return false;
    in_file += bytes.size();
    return true;
  }

  bool complete() {
    if (file < 0) return true;
    if (!flush()) return false;
    buffer.reset();
    capacity = 0;
    if (in_file == 0) return true;
    void* at = ::mmap(nullptr, in_file, PROT_READ, MAP_PRIVATE, file, 0);
    if (at == MAP_FAILED) return false;
    mapped = static_cast<const char*>(at);
    ::close(std::exchange(file, -1));
    return true;
  }
};

Content::Content(size_t spill_at, std::string directory) : state_(std::make_unique<State>()) {
  state_->spill_at = spill_at;
  state_->directory = std::move(directory);
}

Content Content::of(std::string bytes) {
  Content content;
  content.state_->given = std::move(bytes);
  content.state_->finished = true;
  return content;
}

Content::~Content() = default;
Content::Content(Content&&) noexcept = default;
Content& Content::operator=(Content&&) noexcept = default;

bool Content::append(std::string_view bytes) {
  if (state_->failed || state_->finished) return false;
  state_->failed = !state_->add(bytes);
  return !state_->failed;
}

bool Content::spill() {
  if (state_->failed || state_->finished) return false;
  if (state_->file < 0) state_->failed = !state_->spill();
  return !state_->failed;
}

bool Content::finish() {
  if (state_->failed) return false;
  if (state_->finished) return true;
  state_->finished = true;
  state_->failed = !state_->complete();
  return !state_->failed;
}

size_t Content::size() const { return state_->given.size() + state_->in_file + state_->used; }

size_t Content::in_memory() const { return state_->capacity + state_->given.size(); }

std::string_view Content::bytes() const {
  if (!state_->given.empty()) return state_->given;
  if (state_->mapped != nullptr) return {state_->mapped, state_->in_file};
  return {state_->buffer.get(), state_->used};
}

}  // namespace doorward::mail
