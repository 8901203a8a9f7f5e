// Recovery: whatever stands in segment and index files, a start neither crashes nor hangs nor takes much memory, and
// the journal goes on. The first byte says how much of the input is the index; the second, whether headers are made
// sound, so that the search gets behind the checksums.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <string_view>

#include "../tests/journal/fake_disk.h"
#include "base/log.h"
#include "journal/check.h"
#include "journal/journal.h"
#include "spool/form.h"

namespace {

using namespace doorward::journal;

void put(FakeDisk& disk, const std::string& path, std::string_view bytes) {
  auto file = disk.create(path);
  if (!file || !(*file)->write(0, {&bytes, 1}) || !(*file)->sync()) std::abort();
}

// Every 32 octets of the input become a record with sound checksums: head and body from the input.
std::string sound_segment(std::string_view input, uint64_t seed) {
  const auto top = encode(SegmentHeader{1, seed});
  std::string bytes(top.data(), top.size());
  while (!input.empty()) {
    const std::string_view head = input.substr(0, static_cast<unsigned char>(input[0]));
    input.remove_prefix(head.size() == 0 ? 1 : head.size());
    const auto kind = static_cast<uint8_t>(head.empty() ? 0 : head.back());
    const auto header = encode(RecordHeader{kind, static_cast<uint32_t>(head.size()), 0, 0}, seed, bytes.size(), head);
    bytes.append(header.data(), header.size()).append(head);
    bytes.resize((bytes.size() + kAlignment - 1) / kAlignment * kAlignment);
  }
  return bytes;
}

void decode(const Found& found) {
  static_cast<void>(doorward::spool::decode_mail(found.head));
  static_cast<void>(doorward::spool::decode_progress(found.head));
  static_cast<void>(doorward::spool::decode_done(found.head));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool quiet = doorward::log::set_target("off").has_value();
  if (!quiet || size < 2) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view rest = input.substr(2);
  const std::string_view index = rest.substr(0, rest.size() * data[0] / 256);
  const std::string_view segment = rest.substr(index.size());
  FakeDisk disk;
  put(disk, "spool/" + segment_name(1), (data[1] & 1U) != 0 ? sound_segment(segment, 7) : std::string(segment));
  if (!index.empty()) {
    if ((data[1] & 2U) != 0) {
      if (!write_index(disk, "spool", {1, 7}, index)) std::abort();
    } else {
      put(disk, "spool/" + index_name(1), index);
    }
  }
  if (!check(disk, "spool", decode)) std::abort();
  Options options;
  options.directory = "spool";
  options.reserve = 0;
  options.lazy = {};
  for (int start = 0; start < 2; ++start) {
    const auto journal = Journal::open(options, disk, decode);
    if (!journal) std::abort();
    bool durable = false;
    (*journal)->append({1, "goes on", {}}, [&durable](doorward::Result<Place> place) { durable = place.has_value(); });
    (*journal)->flush();
    if (!durable) std::abort();
  }
  return 0;
}
