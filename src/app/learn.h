// `doorward learn`: trains the word statistics from mails whose kind is known.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/privileges.h"
#include "base/error.h"
#include "trust/word_statistics.h"

namespace doorward::app {

struct LearnOptions {
  std::string config_file;             // says where the statistics are
  std::vector<std::string> ham, spam;  // files, mboxes, Maildirs, folders
};

struct Learnt {
  size_t ham = 0, spam = 0;
  size_t unreadable = 0;
  std::vector<std::string> problems;  // why, for the first of them
};

// Teaches the base all mails under these paths, good mail and spam in turns, whatever order they are given in: what is
// learnt last would weigh more. `progress` is called after each mail. The statistics' files are written as `owner`.
Result<Learnt> run_learn(const std::vector<std::string>& ham, const std::vector<std::string>& spam,
                         trust::WordStatistics& statistics, const std::function<void(const Learnt&)>& progress,
                         const std::optional<Account>& owner = {});

// The command: prints, and gives the process's exit status.
int learn(const LearnOptions& options);

}  // namespace doorward::app
