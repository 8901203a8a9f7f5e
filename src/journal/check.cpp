#include "journal/check.h"

#include <algorithm>
#include <array>

namespace doorward::journal {
namespace {

Result<std::string> whole(const Disk& disk, const std::string& path) {
  const auto file = disk.open(path);
  if (!file) return std::unexpected(file.error());
  const auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  return (*file)->read(0, static_cast<size_t>(*size));
}

Result<void> store(Disk& disk, const std::string& path, std::string_view bytes) {
  static_cast<void>(disk.remove(path));
  auto file = disk.create(path);
  if (!file) return std::unexpected(file.error());
  if (auto done = (*file)->write(0, {&bytes, 1}); !done) return done;
  return (*file)->sync();
}

SegmentCheck::Index check_index(const Disk& disk, const std::string& directory, const Segment& scanned) {
  if (!disk.open(directory + "/" + index_name(scanned.header.number))) return SegmentCheck::Index::none;
  std::string found;
  SegmentHeader header;
  const bool is_sound = read_index(
      disk, directory, scanned.header.number, scanned.size, [&](const Found& each) { add_to_index(found, each); },
      header);
  // Where records were lost the index knows more than the scan found.
  const bool agrees = !scanned.damage.empty() || found == scanned.index;
  return is_sound && agrees ? SegmentCheck::Index::sound : SegmentCheck::Index::broken;
}

void fill(std::string& bytes, const Damage& damage, uint64_t seed) {
  if (damage.offset + damage.octets >= bytes.size() || damage.octets < kRecordHeader) {
    bytes.resize(static_cast<size_t>(damage.offset));
    return;
  }
  const std::string nothing(static_cast<size_t>(damage.octets - kRecordHeader), '\0');
  BodySum sum(seed, damage.offset);
  sum.add(nothing);
  RecordHeader fields{kVoid, 0, nothing.size(), 0};
  if (!nothing.empty()) fields.body_sum = sum.value();
  const auto header = encode(fields, seed, damage.offset, "");
  bytes.replace(static_cast<size_t>(damage.offset), header.size(), header.data(), header.size());
  bytes.replace(static_cast<size_t>(damage.offset) + header.size(), nothing.size(), nothing);
}

}  // namespace

Result<std::vector<SegmentCheck>> check(const Disk& disk, const std::string& directory, const Replay& replay) {
  const auto names = disk.list(directory);
  if (!names) return std::unexpected(names.error());
  std::vector<uint64_t> numbers;
  for (const auto& name : *names) {
    if (const uint64_t number = number_of(name); number != 0) numbers.push_back(number);
  }
  std::ranges::sort(numbers);
  std::vector<SegmentCheck> all;
  for (const uint64_t number : numbers) {
    SegmentCheck made;
    made.file = directory + "/" + segment_name(number);
    made.number = number;
    auto scanned = scan_segment(disk, made.file, number, [&](const Found& found) {
      ++made.records;
      replay(found);
    });
    if (!scanned) {
      if (!disk.open(made.file)) continue;  // its owner runs, and has just dropped it
      return std::unexpected(scanned.error());
    }
    made.octets = scanned->size;
    made.damage = scanned->damage;
    for (Damage& each : made.damage) each.is_torn_end = each.is_torn_end && number == numbers.back();
    made.index = check_index(disk, directory, *scanned);
    all.push_back(std::move(made));
  }
  return all;
}

Result<void> repair(Disk& disk, const std::string& directory, const SegmentCheck& segment) {
  const auto index = directory + "/" + index_name(segment.number);
  if (!segment.damage.empty()) {
    auto bytes = whole(disk, segment.file);
    if (!bytes) return std::unexpected(bytes.error());
    if (auto kept = store(disk, segment.file + ".damaged", *bytes); !kept) return kept;
    auto header = decode_segment(*bytes);
    auto damage = segment.damage;
    const std::string aside = segment.file + ".tmp";
    if (!header || header->number != segment.number) {
      SegmentHeader known;
      if (!read_index(disk, directory, segment.number, bytes->size(), [](const Found&) {}, known)) {
        return fail("its header is lost, and there is no index that knows it: nothing in it can be read", segment.file,
                    Blame::environment);
      }
      header = known;
      const auto written = encode(known);
      bytes->replace(0, std::min(bytes->size(), written.size()), written.data(), written.size());
      if (auto stored = store(disk, aside, *bytes); !stored) return stored;
      const auto scanned = scan_segment(disk, aside, segment.number, [](const Found&) {});
      if (!scanned) return std::unexpected(scanned.error());
      damage = scanned->damage;
    }
    for (const Damage& each : damage) fill(*bytes, each, header->seed);
    if (auto stored = store(disk, aside, *bytes); !stored) return stored;
    if (auto renamed = disk.rename(aside, segment.file); !renamed) return renamed;
  }
  // The next start scans the segment, and writes an index of what is there.
  static_cast<void>(disk.remove(index));
  return disk.sync_directory(directory);
}

}  // namespace doorward::journal
