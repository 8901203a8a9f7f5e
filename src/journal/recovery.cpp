#include "journal/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace doorward::journal {
namespace {

constexpr size_t kWindow = 1 << 20;

// A file through a window of a mebioctet.
class Reader {
 public:
  Reader(const File& file, uint64_t size) : file_(file), size_(size) {}

  // Up to `octets` from `offset` on, fewer at the end; valid until the next call. Empty after a failure.
  std::string_view at(uint64_t offset, size_t octets) {
    if (offset >= size_) return {};
    octets = static_cast<size_t>(std::min<uint64_t>(octets, size_ - offset));
    if (offset < begin_ || offset + octets > begin_ + window_.size()) {
      auto read = file_.read(offset, std::max(octets, kWindow));
      if (!read) {
        failure_ = read.error();
        return {};
      }
      begin_ = offset;
      window_ = std::move(*read);
    }
    return std::string_view(window_).substr(static_cast<size_t>(offset - begin_), octets);
  }
  uint64_t size() const { return size_; }
  const std::optional<Error>& failure() const { return failure_; }

 private:
  const File& file_;
  uint64_t size_;
  uint64_t begin_ = 0;
  std::string window_;
  std::optional<Error> failure_;
};

class Scan {
 public:
  Scan(Reader& reader, Segment& segment, std::string file, const Replay& replay)
      : reader_(reader), segment_(segment), file_(std::move(file)), replay_(replay) {}

  void run() {
    uint64_t offset = kSegmentHeader;
    uint64_t bad_from = 0;
    while (offset + kRecordHeader <= reader_.size() && !reader_.failure()) {
      const uint64_t taken = record_at(offset);
      if (taken == 0) {
        if (bad_from == 0) bad_from = offset;
        offset = next_candidate(offset + kAlignment);
        continue;
      }
      if (bad_from != 0) damaged(bad_from, offset);
      bad_from = 0;
      offset += taken;
    }
    if (bad_from == 0 && offset < reader_.size()) bad_from = offset;
    if (bad_from != 0 && bad_from < reader_.size()) damaged(bad_from, reader_.size());
  }

 private:
  // The octets of the sound record that begins there, after it was replayed; 0 where none does.
  uint64_t record_at(uint64_t offset) {
    const std::string header(reader_.at(offset, kRecordHeader));
    const auto fields = decode_record(header);
    // A mail's octets may look like headers by the thousand; that they say where they stand is seen before more is
    // read.
    if (!fields || !stands_at(header, offset)) return 0;
    if (offset + kRecordHeader + fields->head + fields->body > reader_.size()) return 0;
    const std::string head(reader_.at(offset + kRecordHeader, fields->head));
    if (head.size() != fields->head || !is_sound(header, segment_.header.seed, offset, head)) return 0;
    if (!body_is_sound(offset, *fields)) return 0;
    const Found found{{segment_.header.number, offset, fields->head, fields->body}, fields->kind, head};
    if (found.kind != kVoid) {
      add_to_index(segment_.index, found);
      replay_(found);
    }
    return found.place.octets();
  }

  bool body_is_sound(uint64_t offset, const RecordHeader& fields) {
    if (fields.body == 0) return true;
    BodySum sum(segment_.header.seed, offset);
    uint64_t at = offset + kRecordHeader + fields.head;
    for (uint64_t left = fields.body; left > 0;) {
      const auto part = reader_.at(at, static_cast<size_t>(std::min<uint64_t>(left, kWindow)));
      if (part.empty()) return false;
      sum.add(part);
      at += part.size();
      left -= part.size();
    }
    return sum.value() == fields.body_sum;
  }

  // The next place from `offset` on where a record could begin.
  uint64_t next_candidate(uint64_t offset) {
    while (offset + kRecordHeader <= reader_.size() && !reader_.failure()) {
      const auto part = reader_.at(offset, kWindow);
      for (size_t i = 0; i + kRecordHeader <= part.size(); i += kAlignment) {
        if (decode_record(part.substr(i, kRecordHeader))) return offset + i;
      }
      if (part.size() < kWindow) break;
      offset += kWindow - kWindow % kAlignment - 2 * kRecordHeader / kAlignment * kAlignment;
    }
    return reader_.size();
  }

  void damaged(uint64_t from, uint64_t to) {
    segment_.damage.push_back({file_, from, to - from, to == reader_.size()});
  }

  Reader& reader_;
  Segment& segment_;
  std::string file_;
  const Replay& replay_;
};

constexpr std::string_view kIndexMagic = "DWINDEX1";
constexpr size_t kIndexHeader = 8 + 8 + 8 + 8;  // magic, number, seed, octets of entries
constexpr size_t kIndexEntry = 4 + 4 + 8 + 8;   // kind, head, offset, body
constexpr size_t kMostIndex = size_t{1} << 30;

// The checksum held, so that what is written there is what was meant; sizes are looked at all the same.
bool go_through(std::string_view entries, uint64_t number, uint64_t size, const Replay& replay) {
  for (size_t at = 0; at < entries.size();) {
    if (entries.size() - at < kIndexEntry) return false;
    const char* entry = entries.data() + at;
    const Found found{{number, get64(entry + 8), get32(entry + 4), get64(entry + 16)},
                      static_cast<uint8_t>(get32(entry)),
                      entries.substr(at + kIndexEntry, get32(entry + 4))};
    const Place& place = found.place;
    if (found.head.size() != place.head || place.offset > size || place.body > kMostBody ||
        place.offset + place.octets() > size + kAlignment) {
      return false;
    }
    replay(found);
    at += kIndexEntry + found.head.size();
  }
  return true;
}

}  // namespace

std::string Damage::text() const {
  return fmt::format("{}: {} octets at {} are no sound record{}", file, octets, offset,
                     is_torn_end ? ", at its end (writes that a crash cut off)" : "");
}

std::string segment_name(uint64_t number) { return fmt::format("{:016x}.journal", number); }
std::string index_name(uint64_t number) { return fmt::format("{:016x}.index", number); }

uint64_t number_of(std::string_view name) {
  uint64_t number = 0;
  if (name.size() != 24 || !name.ends_with(".journal")) return 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + 16, number, 16);
  return error == std::errc{} && end == name.data() + 16 ? number : 0;
}

Result<Segment> scan_segment(const Disk& disk, const std::string& path, uint64_t number, const Replay& replay) {
  auto file = disk.open(path);
  if (!file) return std::unexpected(file.error());
  const auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  Segment segment;
  segment.header.number = number;
  segment.size = *size;
  Reader reader(**file, *size);
  const auto header = decode_segment(reader.at(0, kSegmentHeader));
  if (!header || header->number != number) {
    if (reader.failure()) return std::unexpected(*reader.failure());
    if (*size > 0) segment.damage.push_back({path, 0, *size, true});
    return segment;
  }
  segment.header = *header;
  Scan(reader, segment, path, replay).run();
  if (reader.failure()) return std::unexpected(*reader.failure());
  return segment;
}

void add_to_index(std::string& index, const Found& found) {
  put32(index, found.kind);
  put32(index, found.place.head);
  put64(index, found.place.offset);
  put64(index, found.place.body);
  index.append(found.head);
}

Result<void> write_index(Disk& disk, const std::string& directory, const SegmentHeader& header,
                         std::string_view index) {
  std::string top(kIndexMagic);
  put64(top, header.number);
  put64(top, header.seed);
  put64(top, index.size());
  std::string end;
  put64(end, sum(index, sum(top, header.seed)));
  const std::string path = directory + "/" + index_name(header.number);
  const std::string aside = path + ".tmp";
  static_cast<void>(disk.remove(aside));
  auto file = disk.create(aside);
  if (!file) return std::unexpected(file.error());
  const std::array<std::string_view, 3> pieces{top, index, end};
  if (auto done = (*file)->write(0, pieces); !done) return done;
  if (auto done = (*file)->sync(); !done) return done;
  return disk.rename(aside, path);
}

bool read_index(const Disk& disk, const std::string& directory, uint64_t number, uint64_t size, const Replay& replay,
                SegmentHeader& header) {
  const auto file = disk.open(directory + "/" + index_name(number));
  if (!file) return false;
  const auto octets = (*file)->size();
  if (!octets || *octets < kIndexHeader + 8 || *octets > kMostIndex) return false;
  const auto bytes = (*file)->read(0, static_cast<size_t>(*octets));
  if (!bytes || bytes->size() != *octets || !bytes->starts_with(kIndexMagic)) return false;
  const std::string_view top(bytes->data(), kIndexHeader);
  const std::string_view entries(bytes->data() + kIndexHeader, bytes->size() - kIndexHeader - 8);
  header = {get64(top.data() + 8), get64(top.data() + 16)};
  if (header.number != number || get64(top.data() + 24) != entries.size()) return false;
  if (get64(entries.data() + entries.size()) != sum(entries, sum(top, header.seed))) return false;
  // Nothing is replayed of an index that does not hold to its end: the segment is scanned then.
  return go_through(entries, number, size, [](const Found&) {}) && go_through(entries, number, size, replay);
}

}  // namespace doorward::journal
