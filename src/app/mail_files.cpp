#include "app/mail_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace doorward::app {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLevels = 32;
constexpr size_t kMostProblems = 20;

// A file's bytes, mapped for reading.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0) return fail(std::strerror(errno), path);
    struct stat about{};
    if (::fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode)) {
      ::close(descriptor);
      return fail("not a regular file", path);
    }
    MappedFile file;
    file.size_ = static_cast<size_t>(about.st_size);
    if (file.size_ > 0) {
      file.at_ = ::mmap(nullptr, file.size_, PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0);
    }
    const int problem = errno;
    ::close(descriptor);
    if (file.size_ > 0 && file.at_ == MAP_FAILED) {
      file.at_ = nullptr;
      return fail(std::strerror(problem), path);
    }
    return file;
  }
  MappedFile(MappedFile&& other) noexcept
      : at_(std::exchange(other.at_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile() {
    if (at_ != nullptr) ::munmap(at_, size_);
  }
  std::string_view bytes() const { return at_ ? std::string_view(static_cast<const char*>(at_), size_) : ""; }

 private:
  MappedFile() = default;
  void* at_ = nullptr;
  size_t size_ = 0;
};

// "From someone Tue Jan  1 12:34:56 2002": a separator has a time of day; a sentence of a mail that begins with "From "
// seldom has.
bool is_separator(std::string_view line) {
  if (!line.starts_with("From ")) return false;
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  for (size_t at = 6; at + 3 <= line.size(); ++at) {
    if (line[at] == ':' && digit(line[at - 1]) && digit(line[at + 1]) && digit(line[at + 2])) return true;
  }
  return false;
}

std::string_view line_at(std::string_view text, size_t at) {
  const size_t end = text.find('\n', at);
  return text.substr(at, end == std::string_view::npos ? std::string_view::npos : end + 1 - at);
}

bool is_quoted_from(std::string_view line) {
  const size_t marks = line.find_first_not_of('>');
  return marks != 0 && marks != std::string_view::npos && line.substr(marks).starts_with("From ");
}

// Undoes mboxrd's quoting; copies only where there is any.
std::string_view unquoted(std::string_view raw, std::string& copy) {
  if (raw.find(">From ") == std::string_view::npos) return raw;
  copy.clear();
  for (size_t at = 0; at < raw.size();) {
    const std::string_view line = line_at(raw, at);
    copy.append(is_quoted_from(line) ? line.substr(1) : line);
    at += line.size();
  }
  return copy;
}

// Where the next separator line begins, at or after `from`; the end if there is none.
size_t next_separator(std::string_view mbox, size_t from) {
  for (size_t at = from; (at = mbox.find("\nFrom ", at)) != std::string_view::npos; ++at) {
    const bool after_empty =
        (at > 0 && mbox[at - 1] == '\n') || (at > 1 && mbox[at - 1] == '\r' && mbox[at - 2] == '\n');
    if (after_empty && is_separator(line_at(mbox, at + 1))) return at + 1;
  }
  return mbox.size();
}

class Walk {
 public:
  explicit Walk(const MailVisitor& visit) : visit_(visit) {}
  const MailFilesSummary& summary() const { return summary_; }

  Result<void> file(const std::string& path) {
    auto mapped = MappedFile::open(path);
    if (!mapped) return std::unexpected(mapped.error());
    const std::string_view bytes = mapped->bytes();
    if (!bytes.starts_with("From ")) {
      give({path, bytes});
      return {};
    }
    // One mail saved with its "From " line keeps the file's name.
    const bool single = next_separator(bytes, 0) == bytes.size();
    size_t number = 0;
    for_each_mail_of_mbox(bytes, [&](std::string_view raw) {
      const std::string name = single ? path : fmt::format("{}:{}", path, ++number);
      give({name, raw});
      return !stopped_;
    });
    return {};
  }

  Result<void> folder(const fs::path& path, int level) {
    std::error_code problem;
    std::vector<fs::path> names;
    for (fs::directory_iterator entry(path, problem), end; !problem && entry != end; entry.increment(problem)) {
      names.push_back(entry->path());
    }
    if (problem) return fail(problem.message(), path.string());
    std::sort(names.begin(), names.end());
    std::error_code ignored;
    const bool maildir = fs::is_directory(path / "cur", ignored) && fs::is_directory(path / "new", ignored);
    for (const fs::path& name : names) {
      if (stopped_) break;
      entry(name, level, maildir);
    }
    return {};
  }

 private:
  void entry(const fs::path& path, int level, bool maildir) {
    const std::string name = path.filename().string();
    std::error_code ignored;
    const bool is_folder = fs::is_directory(fs::symlink_status(path, ignored));
    // A Maildir's own files are not mails, and what lies in tmp/ is not there yet; its sub-folders begin with a dot.
    if (maildir ? (!is_folder || name == "tmp") : name.starts_with('.')) return;
    if (is_folder && level >= kMostLevels) return trouble(path.string() + ": too many levels of folders");
    const Result<void> read = is_folder ? folder(path, level + 1) : file(path.string());
    if (!read) trouble(read.error().text());
  }

  void give(const MailOnDisk& mail) {
    if (stopped_) return;
    ++summary_.mails;
    if (!visit_(mail)) stopped_ = true;
  }

  void trouble(std::string what) {
    ++summary_.unreadable;
    if (summary_.problems.size() < kMostProblems) summary_.problems.push_back(std::move(what));
  }

  const MailVisitor& visit_;
  MailFilesSummary summary_;
  bool stopped_ = false;
};

}  // namespace

bool for_each_mail_of_mbox(std::string_view mbox, const std::function<bool(std::string_view raw)>& visit) {
  std::string copy;
  size_t separator = mbox.starts_with("From ") ? 0 : next_separator(mbox, 0);
  while (separator < mbox.size()) {
    const size_t start = separator + line_at(mbox, separator).size();
    // The empty line before the next separator may be this mail's own first line end, where it has no content.
    const size_t end = next_separator(mbox, start == 0 ? 0 : start - 1);
    std::string_view raw = mbox.substr(start, end - start);
    if (end < mbox.size() || raw.ends_with("\n\n") || raw.ends_with("\r\n\r\n")) {
      raw.remove_suffix(raw.ends_with("\r\n") ? 2 : raw.ends_with('\n') ? 1 : 0);  // the separator's empty line
    }
    if (!visit(unquoted(raw, copy))) return false;
    separator = end;
  }
  return true;
}

Result<MailFilesSummary> for_each_mail(const std::string& path, const MailVisitor& visit) {
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  if (!fs::exists(status)) return fail(problem ? problem.message() : "no such file or folder", path);
  Walk walk(visit);
  const Result<void> read = fs::is_directory(status) ? walk.folder(path, 0) : walk.file(path);
  if (!read) return std::unexpected(read.error());
  return walk.summary();
}

}  // namespace doorward::app
