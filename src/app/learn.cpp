#include "app/learn.h"

#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "app/config.h"
#include "app/mail_files.h"
#include "mime/message.h"

namespace doorward::app {
namespace {

constexpr size_t kFlushEvery = 2000;  // mails
constexpr size_t kReadAhead = 512;    // mails whose features wait for their turn
constexpr size_t kMostProblems = 20;

// The mails of one kind, read by a thread of its own so that both kinds can take turns in learning.
class Reader {
 public:
  explicit Reader(const std::vector<std::string>& paths) : thread_([this, &paths] { run(paths); }) {}
  ~Reader() {
    {
      const std::lock_guard guard(lock_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  // The next mail's features; nothing when all were given out.
  std::optional<trust::Features> next() {
    std::unique_lock guard(lock_);
    changed_.wait(guard, [this] { return done_ || !waiting_.empty(); });
    if (waiting_.empty()) return std::nullopt;
    trust::Features features = std::move(waiting_.front());
    waiting_.pop_front();
    guard.unlock();
    changed_.notify_all();
    return features;
  }
  // After next() gave nothing.
  const MailFilesSummary& summary() const { return summary_; }
  const std::optional<Error>& error() const { return error_; }

 private:
  void run(const std::vector<std::string>& paths) {
    for (const auto& path : paths) {
      const auto read = for_each_mail(path, [this](const MailOnDisk& mail) { return put(mail.raw); });
      const std::lock_guard guard(lock_);
      if (!read) {
        error_ = read.error();
        break;
      }
      summary_.unreadable += read->unreadable;
      summary_.problems.insert(summary_.problems.end(), read->problems.begin(), read->problems.end());
      if (stopping_) break;
    }
    {
      const std::lock_guard guard(lock_);
      done_ = true;
    }
    changed_.notify_all();
  }
  bool put(std::string_view raw) {
    trust::Features features = trust::features_of(mime::Message::parse(raw));
    features.hashes.shrink_to_fit();
    std::unique_lock guard(lock_);
    changed_.wait(guard, [this] { return stopping_ || waiting_.size() < kReadAhead; });
    if (stopping_) return false;
    waiting_.push_back(std::move(features));
    guard.unlock();
    changed_.notify_all();
    return true;
  }

  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<trust::Features> waiting_;
  bool done_ = false, stopping_ = false;
  MailFilesSummary summary_;
  std::optional<Error> error_;
  std::thread thread_;  // last: it uses the others
};

class Teacher {
 public:
  Teacher(trust::WordStatistics& statistics, const std::function<void(const Learnt&)>& progress,
          const std::optional<Account>& owner)
      : statistics_(statistics), progress_(progress), owner_(owner) {}

  Result<void> teach(const trust::Features& features, trust::Label label) {
    statistics_.learn(features, 0, label);
    ++(label == trust::Label::spam ? learnt.spam : learnt.ham);
    if (progress_) progress_(learnt);
    if ((learnt.ham + learnt.spam) % kFlushEvery == 0) return keep();
    return {};
  }
  Result<void> keep() {
    const FilesAs files(owner_);
    return statistics_.flush();
  }
  Learnt learnt;

 private:
  trust::WordStatistics& statistics_;
  const std::function<void(const Learnt&)>& progress_;
  const std::optional<Account>& owner_;
};

}  // namespace

Result<Learnt> run_learn(const std::vector<std::string>& ham, const std::vector<std::string>& spam,
                         trust::WordStatistics& statistics, const std::function<void(const Learnt&)>& progress,
                         const std::optional<Account>& owner) {
  Teacher teacher(statistics, progress, owner);
  Reader hams(ham), spams(spam);
  for (bool more = true; more;) {
    more = false;
    for (const auto& [reader, label] : {std::pair{&hams, trust::Label::ham}, std::pair{&spams, trust::Label::spam}}) {
      const auto features = reader->next();
      if (!features) continue;
      more = true;
      if (auto taught = teacher.teach(*features, label); !taught) return std::unexpected(taught.error());
    }
  }
  if (auto kept = teacher.keep(); !kept) return std::unexpected(kept.error());
  for (const Reader* reader : {&hams, &spams}) {
    if (reader->error()) return std::unexpected(*reader->error());
    teacher.learnt.unreadable += reader->summary().unreadable;
    for (const auto& problem : reader->summary().problems) {
      if (teacher.learnt.problems.size() < kMostProblems) teacher.learnt.problems.push_back(problem);
    }
  }
  return teacher.learnt;
}

int learn(const LearnOptions& options) {
  const auto complain = [](const Error& error) {
    fmt::print(stderr, "doorward learn: {}\n", error.text());
    return 1;
  };
  const auto config = load_config(options.config_file);
  if (!config) return complain(config.error());
  // The mails are read as who we are, the statistics kept as the gateway's.
  const auto owner = owner_of_files(config->user, config->group);
  if (const auto made = make_folder_for(config->state_directory, owner); !made) return complain(made.error());
  const auto open = [&] {
    const FilesAs files(owner);
    return trust::WordStatistics::open(
        {.table_entries = config->statistics_entries, .directory = config->statistics_path()});
  };
  auto statistics = open();
  if (!statistics) return complain(statistics.error());
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  const auto progress = [terminal](const Learnt& so_far) {
    const size_t mails = so_far.ham + so_far.spam;
    if (mails % (terminal ? 100 : 10'000) != 0) return;
    fmt::print(stderr, "{}{} mails learnt ({} ham, {} spam){}", terminal ? "\r" : "", mails, so_far.ham, so_far.spam,
               terminal ? "" : "\n");
  };
  const auto learnt = run_learn(options.ham, options.spam, **statistics, progress, owner);
  if (terminal) fmt::print(stderr, "\r\033[K");
  if (!learnt) return complain(learnt.error());
  for (const auto& problem : learnt->problems) fmt::print(stderr, "{}\n", problem);
  fmt::print("learnt {} good mails and {} spam; {} files not read\n", learnt->ham, learnt->spam, learnt->unreadable);
  return 0;
}

}  // namespace doorward::app
