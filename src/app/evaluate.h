// `doorward evaluate`: judges labelled mails in order, by content alone, and says how well it went.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "trust/word_statistics.h"

namespace doorward::app {

enum class EvaluateScore { points, statistics };

struct EvaluateOptions {
  std::string index_file;  // a line "spam|ham PATH" a mail; relative paths are relative to the file's folder
  bool online = false;     // learn each mail's true label right after its verdict
  EvaluateScore score = EvaluateScore::statistics;
  std::string scores_file;  // gets a line "spam|ham SCORE PATH" a mail; empty: none
  bool json = false;
};

struct Judged {
  bool spam = false;  // the true label
  double score = 0;   // the higher, the more like spam
};

// How well scores tell spam from ham. All are shares of 1.
struct Accuracy {
  size_t ham = 0, spam = 0;
  double roc_area = 0;       // the chance that a spam scores higher than a ham; ties count half
  double caught_at_0_1 = 0;  // spam caught by the best threshold that takes at most 0.1 % of the ham for spam
  double threshold_0_1 = 0;  // the lowest score that this threshold calls spam
  double caught = 0;         // with the score's own threshold
  double false_positives = 0;
};
// `threshold`: scores of at least this are called spam. Without ham or without spam the ROC area is 0.
Accuracy accuracy_of(std::span<const Judged> judged, double threshold);

struct Evaluation {
  Accuracy accuracy;
  size_t unreadable = 0;           // mails of the index that could not be read; they count nowhere
  double judging_cpu_seconds = 0;  // parsing, features, judging
  double learning_cpu_seconds = 0;
};

// The points of one mail before rounding, by all filters, with what `statistics` knows by then.
using PointsJudge = std::function<Result<double>(std::string_view raw)>;

// Runs with `statistics`, which it teaches when online. `points` is needed for EvaluateScore::points only.
Result<Evaluation> run_evaluate(const EvaluateOptions& options, trust::WordStatistics& statistics,
                                const PointsJudge& points);

// The command: prints, and gives the process's exit status.
int evaluate(const EvaluateOptions& options);

}  // namespace doorward::app
