// One mail as a line of a DMARC aggregate report.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gateway/witness.h"
#include "report/dmarc_report.h"

namespace doorward::report {

struct ReportAddress {
  std::string uri;     // of rua=
  uint64_t limit = 0;  // octets of a report; 0: any
  bool operator==(const ReportAddress&) const = default;
};

struct DmarcObservation {
  SystemTime time{};
  DmarcPublished published;
  std::vector<ReportAddress> addresses;
  DmarcRecordRow row;  // of count 1
};

inline constexpr size_t kMostAddresses = 10;       // of a report
inline constexpr size_t kMostSignaturesTold = 10;  // of a mail; RFC 9990 would have up to 100

// What became of the mail, as far as DMARC may have had a hand in it: of several recipients the mildest.
mailauth::DmarcPolicy applied(const gateway::Witness::Seen& mail);

// None: its domain wants no reports, DMARC came to nothing, the mail comes again, or it is a report itself.
std::optional<DmarcObservation> observe(const gateway::Witness::Seen& mail);

}  // namespace doorward::report
