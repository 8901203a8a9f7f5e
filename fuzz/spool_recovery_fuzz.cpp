// What a restart reads: segments, indexes and records. A disk may have put anything there.
#include <cstdint>
#include <string>

#include "../tests/journal/fake_disk.h"
#include "journal/recovery.h"
#include "spool/form.h"

namespace {

using namespace doorward;

void put(journal::FakeDisk& disk, const std::string& path, std::string_view bytes) {
  auto file = disk.create(path);
  if (!file || !(*file)->write(0, {&bytes, 1})) __builtin_trap();
}

void look_at(std::string_view head) {
  if (const auto stored = spool::decode_mail(head)) {
    // What is understood is written again as it was read.
    const auto again = spool::decode_mail(spool::encode(stored->mail, stored->versions));
    if (!again || again->mail.recipients.size() != stored->mail.recipients.size()) __builtin_trap();
  }
  if (const auto progress = spool::decode_progress(head)) {
    const auto again = spool::decode_progress(spool::encode(*progress));
    if (!again || again->fates != progress->fates) __builtin_trap();
  }
  static_cast<void>(spool::decode_done(head));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  look_at(bytes);
  const journal::Replay replay = [](const journal::Found& found) { look_at(found.head); };
  journal::FakeDisk disk;
  put(disk, "d/" + journal::segment_name(1), bytes);
  put(disk, "d/" + journal::index_name(1), bytes);
  if (!journal::scan_segment(disk, "d/" + journal::segment_name(1), 1, replay)) __builtin_trap();
  journal::SegmentHeader header;
  static_cast<void>(journal::read_index(disk, "d", 1, size, replay, header));
  // Records behind a header that is sound, so that more than the first check is reached.
  const auto sound = journal::encode(journal::SegmentHeader{1, 42});
  put(disk, "e/" + journal::segment_name(1), std::string(sound.begin(), sound.end()) + std::string(bytes));
  if (!journal::scan_segment(disk, "e/" + journal::segment_name(1), 1, replay)) __builtin_trap();
  return 0;
}
