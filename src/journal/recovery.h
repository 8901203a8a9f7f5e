// Reads segments back: what is sound is replayed, what is not is told and stepped over.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "journal/disk.h"
#include "journal/record.h"

namespace doorward::journal {

// Where a record stands; good as long as its segment is there.
struct Place {
  uint64_t segment = 0;  // from 1; 0: nowhere
  uint64_t offset = 0;
  uint32_t head = 0;  // octets
  uint64_t body = 0;  // octets

  uint64_t octets() const { return record_octets(head, body); }
  bool operator==(const Place&) const = default;
};

struct Found {
  Place place;
  uint8_t kind = 0;
  std::string_view head;  // valid during the call
};
using Replay = std::function<void(const Found&)>;

// Octets that are no sound record. At the end of the newest segment that is what a crash leaves of records that were
// never acknowledged; anywhere else a disk has lost something.
struct Damage {
  std::string file;
  uint64_t offset = 0, octets = 0;
  bool is_torn_end = false;
  std::string text() const;
};

struct Segment {
  SegmentHeader header;
  uint64_t size = 0;  // octets of the file
  std::string index;  // what write_index() takes; empty where it was read from there
  std::vector<Damage> damage;
};

std::string segment_name(uint64_t number);  // "0000000000000001.journal"
std::string index_name(uint64_t number);
uint64_t number_of(std::string_view name);  // 0 where it is no segment's name

// Every record of a segment, in order, bodies checked too; the checksums tell records from anything else. An error
// where the file cannot be read; a file without a sound header yields damage alone.
Result<Segment> scan_segment(const Disk& disk, const std::string& path, uint64_t number, const Replay& replay);

// An index holds all heads of a sealed segment, so that a restart need not read the bodies.
void add_to_index(std::string& index, const Found& found);
Result<void> write_index(Disk& disk, const std::string& directory, const SegmentHeader& header, std::string_view index);
// False where there is none, or none that is sound: then the segment is to be scanned.
bool read_index(const Disk& disk, const std::string& directory, uint64_t number, uint64_t size, const Replay& replay,
                SegmentHeader& header);

}  // namespace doorward::journal
