// What judging mails on disk needs: the tenants' settings and the word statistics, as the configuration names them, or
// the embedded defaults.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "gateway/judge.h"
#include "policy/snapshot.h"
#include "sheet/sheet.h"
#include "trust/word_statistics.h"

namespace doorward::app {

// The envelope that a mail on disk is judged with.
struct AssumedEnvelope {
  std::string from, to, ip, helo;  // empty: from Return-Path or From; no recipient; unknown; unknown
};

class Judging {
 public:
  // Empty `config_file`: the embedded defaults, and nothing learnt.
  static Result<std::unique_ptr<Judging>> open(const std::string& config_file);
  Judging(std::shared_ptr<const policy::Snapshot> snapshot, const trust::WordStatistics* statistics);

  // A wrong address or IP in `assumed` is an error; the mail itself never is.
  Result<sheet::ScoreSheet> judge(std::string_view raw, const AssumedEnvelope& assumed) const;

 private:
  std::shared_ptr<const policy::Snapshot> snapshot_;
  std::unique_ptr<trust::WordStatistics> own_statistics_;
  RealClock clock_;
  gateway::Judge judge_;
};

}  // namespace doorward::app
