// TLS reports of strangers: bounded.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "report/readers.h"

using namespace doorward::report;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto report = read_tls({reinterpret_cast<const char*>(data), size});
  if (!report) return 0;
  size_t details = 0;
  for (const auto& policy : report->policies) {
    details += policy.details.size();
    if (policy.domain.empty() || policy.domain.size() > kMostText || policy.successes > kMostCounted) std::abort();
  }
  if (details > kMostRecords || report->begin <= 0) std::abort();
  return 0;
}
