#include "app/evaluate.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>

#include "app/judging.h"
#include "app/mail_files.h"
#include "base/handle.h"
#include "mime/message.h"

namespace doorward::app {
namespace {

namespace fs = std::filesystem;

struct Line {
  bool spam = false;
  std::string path;  // as it stands in the index
  std::string file;  // where it is
};

Result<std::vector<Line>> read_index(const std::string& index) {
  std::ifstream in(index);
  if (!in) return fail(std::strerror(errno), index);
  const fs::path folder = fs::path(index).parent_path();
  std::vector<Line> lines;
  size_t number = 0;
  for (std::string text; std::getline(in, text);) {
    ++number;
    if (text.ends_with('\r')) text.pop_back();
    if (text.empty() || text.starts_with('#')) continue;
    const size_t space = text.find_first_of(" \t");
    const std::string label = text.substr(0, space);
    const size_t begin = space == std::string::npos ? space : text.find_first_not_of(" \t", space);
    if ((label != "spam" && label != "ham") || begin == std::string::npos) {
      return fail("expected 'spam PATH' or 'ham PATH'", fmt::format("{}:{}", index, number));
    }
    const std::string path = text.substr(begin);
    lines.push_back({label == "spam", path, (folder / path).string()});  // an absolute path replaces the folder
  }
  return lines;
}

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// One progress line that overwrites itself, on a terminal only.
class Progress {
 public:
  explicit Progress(size_t all) : all_(all), shown_(::isatty(STDERR_FILENO) == 1) {}
  ~Progress() {
    if (shown_) fmt::print(stderr, "\r\033[K");
  }
  void step() {
    if (++done_ % 200 == 0 && shown_) fmt::print(stderr, "\r{} of {} mails", done_, all_);
  }

 private:
  size_t all_, done_ = 0;
  bool shown_;
};

using OpenFile = Handle<std::FILE, &std::fclose>;

class Run {
 public:
  Run(const EvaluateOptions& options, trust::WordStatistics& statistics, const PointsJudge& points)
      : options_(options), statistics_(statistics), points_(points) {}

  Result<Evaluation> all(const std::vector<Line>& lines) {
    if (!options_.scores_file.empty()) {
      scores_.reset(std::fopen(options_.scores_file.c_str(), "w"));
      if (!scores_) return fail(std::strerror(errno), options_.scores_file);
    }
    Progress progress(lines.size());
    for (const Line& line : lines) {
      std::optional<Error> problem;
      bool read = false;
      // An index line names one mail; of an mbox it is the first.
      const auto visited = for_each_mail(line.file, [&](const MailOnDisk& mail) {
        read = true;
        if (auto done = one(line, mail.raw); !done) problem = done.error();
        return false;
      });
      if (problem) return std::unexpected(*problem);
      if (!visited || !read) {
        ++evaluation_.unreadable;
        fmt::print(stderr, "{}\n", visited ? line.file + ": no mail in it" : visited.error().text());
      }
      progress.step();
    }
    if (scores_ && std::fflush(scores_.get()) != 0) return fail(std::strerror(errno), options_.scores_file);
    const double threshold = options_.score == EvaluateScore::points ? 5.0 : 0.5;
    evaluation_.accuracy = accuracy_of(judged_, threshold);
    return evaluation_;
  }

 private:
  Result<void> one(const Line& line, std::string_view raw) {
    const double begun = cpu_seconds();
    double score = 0;
    std::optional<mime::Message> message;
    if (options_.score == EvaluateScore::statistics || options_.online) message.emplace(mime::Message::parse(raw));
    if (message) trust::features_of(*message, features_);
    if (options_.score == EvaluateScore::points) {
      const auto points = points_(raw);
      if (!points) return std::unexpected(points.error());
      score = *points;
    } else {
      score = statistics_.judge(features_, 0).spam;
    }
    const double judged = cpu_seconds();
    evaluation_.judging_cpu_seconds += judged - begun;
    judged_.push_back({line.spam, score});
    if (scores_) fmt::print(scores_.get(), "{} {:.17g} {}\n", line.spam ? "spam" : "ham", score, line.path);
    if (options_.online) {
      statistics_.learn(features_, 0, line.spam ? trust::Label::spam : trust::Label::ham);
      evaluation_.learning_cpu_seconds += cpu_seconds() - judged;
    }
    return {};
  }

  const EvaluateOptions& options_;
  trust::WordStatistics& statistics_;
  const PointsJudge& points_;
  trust::Features features_;
  OpenFile scores_;
  std::vector<Judged> judged_;
  Evaluation evaluation_;
};

void print(const Evaluation& run, const EvaluateOptions& options) {
  const Accuracy& a = run.accuracy;
  const size_t mails = a.ham + a.spam;
  const double per_1000 = mails == 0 ? 0 : run.judging_cpu_seconds * 1000 / static_cast<double>(mails);
  const double learning = mails == 0 ? 0 : run.learning_cpu_seconds * 1000 / static_cast<double>(mails);
  if (options.json) {
    fmt::print(
        "{{\"mails\":{},\"ham\":{},\"spam\":{},\"unreadable\":{},\"caught\":{:.6f},\"false_positives\":{:.6f},"
        "\"roc_area\":{:.8f},\"one_minus_roc_area_percent\":{:.5f},\"caught_at_0_1_percent_false_positives\":{:.6f},"
        "\"threshold_at_0_1_percent\":{:.9g},\"judging_cpu_seconds_per_1000\":{:.4f},"
        "\"learning_cpu_seconds_per_1000\":{:.4f}}}\n",
        mails, a.ham, a.spam, run.unreadable, a.caught, a.false_positives, a.roc_area, 100 * (1 - a.roc_area),
        a.caught_at_0_1, a.threshold_0_1, per_1000, learning);
    return;
  }
  fmt::print("mails                                {} ({} ham, {} spam)\n", mails, a.ham, a.spam);
  fmt::print("caught with the usual threshold      {:.2f} % of the spam\n", 100 * a.caught);
  fmt::print("false positives with it              {:.3f} % of the ham\n", 100 * a.false_positives);
  fmt::print("caught at 0.1 % false positives      {:.2f} % of the spam (threshold {:.6g})\n", 100 * a.caught_at_0_1,
             a.threshold_0_1);
  fmt::print("1 - ROC area                         {:.4f} %\n", 100 * (1 - a.roc_area));
  fmt::print("CPU for judging                      {:.3f} s per 1000 mails\n", per_1000);
  if (options.online) fmt::print("CPU for learning                     {:.3f} s per 1000 mails\n", learning);
  if (run.unreadable > 0) fmt::print("not read                             {} mails\n", run.unreadable);
}

}  // namespace

Accuracy accuracy_of(std::span<const Judged> judged, double threshold) {
  Accuracy accuracy;
  std::vector<Judged> sorted(judged.begin(), judged.end());
  std::sort(sorted.begin(), sorted.end(), [](const Judged& a, const Judged& b) { return a.score > b.score; });
  for (const Judged& mail : sorted) {
    ++(mail.spam ? accuracy.spam : accuracy.ham);
    if (mail.score >= threshold) (mail.spam ? accuracy.caught : accuracy.false_positives) += 1;
  }
  const size_t allowed = accuracy.ham / 1000;
  accuracy.threshold_0_1 = std::numeric_limits<double>::infinity();
  size_t ham = 0, spam = 0;
  double area = 0;
  // From the highest score down, equal scores together: no threshold can part them.
  for (size_t at = 0; at < sorted.size();) {
    const double score = sorted[at].score;
    size_t ham_here = 0, spam_here = 0;
    for (; at < sorted.size() && sorted[at].score == score; ++at) ++(sorted[at].spam ? spam_here : ham_here);
    area += static_cast<double>(ham_here) * (static_cast<double>(spam) + static_cast<double>(spam_here) / 2);
    ham += ham_here;
    spam += spam_here;
    if (ham <= allowed) {
      accuracy.caught_at_0_1 = static_cast<double>(spam);
      accuracy.threshold_0_1 = score;
    }
  }
  const auto share = [](double part, size_t all) { return all == 0 ? 0 : part / static_cast<double>(all); };
  accuracy.caught = share(accuracy.caught, accuracy.spam);
  accuracy.caught_at_0_1 = share(accuracy.caught_at_0_1, accuracy.spam);
  accuracy.false_positives = share(accuracy.false_positives, accuracy.ham);
  accuracy.roc_area = share(share(area, accuracy.ham), accuracy.spam);
  return accuracy;
}

Result<Evaluation> run_evaluate(const EvaluateOptions& options, trust::WordStatistics& statistics,
                                const PointsJudge& points) {
  if (options.score == EvaluateScore::points && !points) return fail("nothing to make points with");
  const auto lines = read_index(options.index_file);
  if (!lines) return std::unexpected(lines.error());
  return Run(options, statistics, points).all(*lines);
}

int evaluate(const EvaluateOptions& options) {
  const auto complain = [](const Error& error) {
    fmt::print(stderr, "doorward evaluate: {}\n", error.text());
    return 1;
  };
  auto statistics = trust::WordStatistics::open({});
  if (!statistics) return complain(statistics.error());
  const Judging judging(policy::Snapshot::defaults(), statistics->get());
  const auto points = [&judging](std::string_view raw) -> Result<double> {
    const auto sheet = judging.judge(raw, {});
    if (!sheet) return std::unexpected(sheet.error());
    return sheet->groups.front().priced.total.value();
  };
  const auto evaluation = run_evaluate(options, **statistics, points);
  if (!evaluation) return complain(evaluation.error());
  print(*evaluation, options);
  return 0;
}

}  // namespace doorward::app
