// Whatever is sent to an address for reports: gzip, zip, and mails with such in them.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "report/compression.h"
#include "report/readers.h"

using namespace doorward::report;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMost = 100'000;
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  if (const auto text = gunzip(octets, kMost); text && text->size() > kMost) std::abort();
  if (const auto files = unzip(octets, kMost)) {
    size_t all = 0;
    for (const auto& file : *files) all += file.size();
    if (all > kMost || files->size() > kMostZipEntries) std::abort();
  }
  const auto found = read_reports(octets);
  if (found.dmarc.size() + found.tls.size() > kMostDocuments || found.problems.size() > kMostDocuments + 1)
    std::abort();
  return 0;
}
