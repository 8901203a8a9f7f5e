// Reports that others sent, read. They are strangers' words: every size, count and depth is bounded, and what does not
// fit is an error with a sentence that says why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "report/dmarc_report.h"
#include "report/tls_report.h"

namespace doorward::report {

inline constexpr size_t kMostDocument = size_t{32} << 20;     // octets of one XML document
inline constexpr size_t kMostTlsDocument = size_t{4} << 20;   // of one JSON document: its parser takes many times that
inline constexpr size_t kMostRecords = 50'000;                // of one report
inline constexpr uint64_t kMostCounted = uint64_t{1} << 40U;  // by one number in it
inline constexpr size_t kMostText = 1024;                     // octets of one text in it; the rest is cut off

// RFC 9990's form or that of RFC 7489. A document type, and so every entity, is refused.
Result<DmarcReport> read_dmarc(std::string_view xml);
Result<TlsReport> read_tls(std::string_view json);

// All reports in a mail, or in a file as it is attached to one: gzip, zip, XML, JSON.
struct ReadReports {
  std::vector<DmarcReport> dmarc;
  std::vector<TlsReport> tls;
  std::vector<std::string> problems;  // what looked like a report and is none
};
inline constexpr size_t kMostDocuments = 32;               // of one mail, packed ones twice
inline constexpr size_t kMostUnpacked = size_t{64} << 20;  // octets of all of them

ReadReports read_reports(std::string_view octets);
ReadReports read_mailed_reports(std::string_view mail);  // of the mail alone

}  // namespace doorward::report
