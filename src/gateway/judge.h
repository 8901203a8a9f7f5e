// Judging: the filters' findings, priced for each group of recipients, become class and disposition.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "filter/facts.h"
#include "mail/envelope.h"
#include "mime/message.h"
#include "policy/settings.h"
#include "policy/snapshot.h"
#include "sheet/sheet.h"
#include "trust/fingerprint.h"
#include "trust/sightings.h"
#include "trust/word_statistics.h"

namespace doorward::gateway {

// Recipients of one mail for whom everything that decides is the same.
struct Group {
  std::shared_ptr<const policy::Settings> settings;
  const policy::Rule* rule = nullptr;
  bool unfiltered = false;     // the secret suffix was used
  bool never_refused = false;  // postmaster@ and abuse@ (RFC 5321 §4.5.1)
  std::vector<std::string> recipients;

  bool decides_like(const Group& other) const {
    return settings == other.settings && rule == other.rule && unfiltered == other.unfiltered &&
           never_refused == other.never_refused;
  }
};

// Everything that is judged, together.
struct Mail {
  const mime::Message& message;
  const mail::Client& client;
  const mail::Envelope& envelope;
  sheet::Direction direction;
  const filter::Facts& facts;
};

// What was made of the message to judge it, so that learning need not make it again.
struct Extracts {
  trust::Features features{};                       // empty where nobody asked for word statistics
  std::optional<trust::Fingerprint> fingerprint{};  // likewise
};

class Judge {
 public:
  // Each may be null: then nothing is known of words, or of what others sent.
  Judge(const Clock& clock, const trust::WordStatistics* statistics, const trust::Sightings* sightings = nullptr)
      : clock_(clock), statistics_(statistics), sightings_(sightings) {}

  // Runs every filter once and gives each group its verdict.
  sheet::ScoreSheet judge(const Mail& mail, const policy::Snapshot& snapshot, std::span<const Group> groups,
                          Extracts* extracts = nullptr) const;

 private:
  const Clock& clock_;
  const trust::WordStatistics* statistics_;
  const trust::Sightings* sightings_;
};

}  // namespace doorward::gateway
