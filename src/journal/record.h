// The form of records and segments on disk: docs/spool-format.md. All numbers are little-endian.
//
// Checksums are seeded by a number that is drawn for each segment, and by the record's offset: octets of a mail can
// never be taken for a record, whatever their sender knows of this form, nor can a record be taken for one elsewhere.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace doorward::journal {

inline constexpr uint32_t kVersion = 1;
inline constexpr size_t kSegmentHeader = 40;
inline constexpr size_t kRecordHeader = 48;
inline constexpr size_t kAlignment = 8;
inline constexpr uint64_t kMostHead = uint64_t{64} << 20;  // octets
inline constexpr uint64_t kMostBody = uint64_t{1} << 40;

inline constexpr uint8_t kVoid = 0;  // the kind of a record that fills a place where another one was lost

struct SegmentHeader {
  uint64_t number = 0;
  uint64_t seed = 0;
};
std::array<char, kSegmentHeader> encode(const SegmentHeader& header);
std::optional<SegmentHeader> decode_segment(std::string_view bytes);  // none where it is no such header

struct RecordHeader {
  uint8_t kind = 0;
  uint32_t head = 0;  // octets
  uint64_t body = 0;  // octets
  uint64_t body_sum = 0;
};
// `head` are the head's octets: the header's checksum covers them too.
std::array<char, kRecordHeader> encode(const RecordHeader& header, uint64_t seed, uint64_t offset,
                                       std::string_view head);
// The header's own fields, not yet checked against the head; none where no record can begin with these octets.
std::optional<RecordHeader> decode_record(std::string_view bytes);
bool stands_at(std::string_view header, uint64_t offset);  // what the header says of its place
bool is_sound(std::string_view header, uint64_t seed, uint64_t offset, std::string_view head);

// Over a body in pieces.
class BodySum {
 public:
  BodySum(uint64_t seed, uint64_t offset);
  ~BodySum();
  BodySum(const BodySum&) = delete;
  BodySum& operator=(const BodySum&) = delete;
  void add(std::string_view piece);
  uint64_t value() const;

 private:
  void* state_;
};

// A checksum of the index file.
uint64_t sum(std::string_view bytes, uint64_t seed);

// Octets that a record takes, with what fills it up to the alignment.
constexpr uint64_t record_octets(uint64_t head, uint64_t body) {
  return (kRecordHeader + head + body + kAlignment - 1) / kAlignment * kAlignment;
}

void put32(std::string& to, uint32_t value);
void put64(std::string& to, uint64_t value);
uint32_t get32(const char* from);
uint64_t get64(const char* from);

}  // namespace doorward::journal
