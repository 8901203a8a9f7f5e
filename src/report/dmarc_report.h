// What a DMARC aggregate report tells (RFC 9990): of which domain, of which time, what its policy was, and what became
// of the mails that carried its name. For those we send, and for those we get.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace doorward::report {

// Tags with their defaults filled in, in the words of the report.
struct DmarcPublished {
  std::string domain;  // where the record stands
  std::string p = "none", sp, np;
  std::string adkim = "r", aspf = "r";
  std::string fo;
  bool testing = false;
  bool operator==(const DmarcPublished&) const = default;
};

struct DmarcSignatureResult {
  std::string domain, selector, result;
};

struct DmarcReason {
  std::string type;  // local_policy, mailing_list, other, policy_test_mode, trusted_forwarder
  std::string comment{};
};

// Mails that have all of this in common.
struct DmarcRecordRow {
  std::string source_ip;
  uint64_t count = 0;
  std::string disposition = "none";  // none, pass, quarantine, reject
  bool dkim = false, spf = false;    // passed and aligned
  std::vector<DmarcReason> reasons{};
  std::string header_from;
  std::string envelope_from;  // empty: the null reverse path
  std::vector<DmarcSignatureResult> signatures{};
  std::string spf_domain;  // with its result empty: nobody asked
  std::string spf_result;
};

struct DmarcReport {
  std::string organization, contact, extra_contact;
  std::string id;
  int64_t begin = 0, end = 0;  // seconds since 1970; `end` is the last one
  std::vector<std::string> errors{};
  std::string generator;
  DmarcPublished published;
  std::vector<DmarcRecordRow> rows;
};

}  // namespace doorward::report
