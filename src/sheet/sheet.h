// The score sheet of one mail: every finding, what each recipient's rule made of it, and what became of the mail.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "sheet/finding.h"
#include "sheet/price.h"
#include "sheet/verdict.h"

namespace doorward::sheet {

enum class Direction : uint8_t { inbound, outbound };

// The verdict for the recipients that share a rule and settings.
struct GroupVerdict {
  std::vector<std::string> recipients;
  uint64_t customer = 0;
  std::string rule;  // the rule's name
  int threshold = 0;
  Priced priced;
  Class klass = Class::clean;
  Disposition disposition = Disposition::deliver;
  bool observed = false;                        // the domain only observes: delivered whatever the verdict
  Disposition intended = Disposition::deliver;  // what would have become of it, had the domain not only observed
  bool bypassed = false;                        // an emergency bypass was on: no filter was run
  int reply_code = 0;                           // what the sender was told
  std::string reply_text;
};

// A question to the DNS, and what came of it.
struct Lookup {
  std::string question;  // "txt example.org"
  std::string answer;    // "found", "nxdomain", "timeout" …
  bool cached = false;
  uint32_t microseconds = 0;  // that it took
};

struct ScoreSheet {
  std::string id;  // the mail's id: the reference in replies and headers
  SystemTime time{};
  Direction direction = Direction::inbound;
  std::string client_ip, helo, sender, subject, message_id;
  uint64_t size = 0;  // octets
  Findings findings;
  std::vector<GroupVerdict> groups;
  std::vector<std::string> skipped;  // "filter: why" of those that did not run or could not answer
  std::vector<Lookup> lookups;
  uint32_t judged_microseconds = 0;  // time that judging took, waiting included
};

// Octets of memory that it takes, about.
size_t footprint(const ScoreSheet& sheet);

// One JSON object on one line, as `doorward scan --json` prints it and the store keeps it; and back.
std::string to_json(const ScoreSheet& sheet);
Result<ScoreSheet> from_json(std::string_view json);
// For a person in a terminal: findings with points, what was decided and why, and what would change it.
std::string to_text(const ScoreSheet& sheet);

}  // namespace doorward::sheet
