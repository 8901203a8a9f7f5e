// DMARC aggregate reports of strangers: bounded, and what was read can be written and read again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "report/dmarc_xml.h"
#include "report/readers.h"

using namespace doorward::report;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto report = read_dmarc({reinterpret_cast<const char*>(data), size});
  if (!report) return 0;
  require(report->rows.size() <= kMostRecords && report->end >= report->begin);
  for (const auto& row : report->rows) {
    require(row.count > 0 && row.count <= kMostCounted);
    require(row.header_from.size() <= kMostText && row.source_ip.size() <= kMostText);
  }
  const auto again = read_dmarc(to_xml(*report));
  require(again.has_value());
  require(again->rows.size() == report->rows.size() && again->begin == report->begin && again->end == report->end);
  return 0;
}
