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
#include "trust/correspondence.h"
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
  bool caught = false;         // by the domain's catch-all mailbox
  std::vector<std::string> recipients;
  std::vector<std::string> addresses{};  // of the same: what was written to, and where it goes; keys

  bool decides_like(const Group& other) const {
    return settings == other.settings && rule == other.rule && unfiltered == other.unfiltered &&
           never_refused == other.never_refused && caught == other.caught;
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

// Whether the filters' findings count for the group.
bool is_filtered(const Group& group, SystemTime now);

// What was made of the message to judge it, so that learning need not make it again.
struct Extracts {
  trust::Features features{};                       // empty where nobody asked for word statistics
  std::optional<trust::Fingerprint> fingerprint{};  // likewise; made before judging where the centre is asked
};

class Judge {
 public:
  // What filters remember, to be looked up; each may be null.
  struct Memory {
    const trust::WordStatistics* statistics = nullptr;
    const trust::Sightings* sightings = nullptr;
    const trust::Correspondence* correspondence = nullptr;
  };
  Judge(const Clock& clock, Memory memory) : clock_(clock), memory_(memory) {}

  // Runs every filter once and gives each group its verdict.
  sheet::ScoreSheet judge(const Mail& mail, const policy::Snapshot& snapshot, std::span<const Group> groups,
                          Extracts* extracts = nullptr) const;

 private:
  const Clock& clock_;
  Memory memory_;
};

}  // namespace doorward::gateway
