#include "journal/record.h"

#include <xxhash.h>

#include <bit>
#include <cstring>
#include <stdexcept>

namespace doorward::journal {
namespace {

constexpr std::string_view kSegmentMagic = "DWJOURN1";
constexpr uint32_t kRecordMagic = 0x44525744;  // "DWRD"

static_assert(std::endian::native == std::endian::little, "the form on disk is copied as it is in memory");

uint64_t seed_at(uint64_t seed, uint64_t offset) { return seed ^ (offset * 0x9e3779b97f4a7c15U); }

uint64_t header_sum(std::string_view fields, uint64_t seed, uint64_t offset, std::string_view head) {
  const uint64_t own = XXH3_64bits_withSeed(fields.data(), fields.size(), seed_at(seed, offset));
  return XXH3_64bits_withSeed(head.data(), head.size(), own);
}

constexpr size_t kFields = kRecordHeader - 8;  // what stands before the header's checksum

}  // namespace

void put32(std::string& to, uint32_t value) { to.append(reinterpret_cast<const char*>(&value), sizeof value); }
void put64(std::string& to, uint64_t value) { to.append(reinterpret_cast<const char*>(&value), sizeof value); }
uint32_t get32(const char* from) {
  uint32_t value = 0;
  std::memcpy(&value, from, sizeof value);
  return value;
}
uint64_t get64(const char* from) {
  uint64_t value = 0;
  std::memcpy(&value, from, sizeof value);
  return value;
}

uint64_t sum(std::string_view bytes, uint64_t seed) { return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed); }

std::array<char, kSegmentHeader> encode(const SegmentHeader& header) {
  std::string bytes(kSegmentMagic);
  put32(bytes, kVersion);
  put32(bytes, 0);
  put64(bytes, header.number);
  put64(bytes, header.seed);
  put64(bytes, sum(bytes, 0));
  std::array<char, kSegmentHeader> made;
  std::memcpy(made.data(), bytes.data(), made.size());
  return made;
}

std::optional<SegmentHeader> decode_segment(std::string_view bytes) {
  if (bytes.size() < kSegmentHeader || !bytes.starts_with(kSegmentMagic)) return std::nullopt;
  if (get32(bytes.data() + 8) != kVersion) return std::nullopt;
  if (get64(bytes.data() + 32) != sum(bytes.substr(0, 32), 0)) return std::nullopt;
  return SegmentHeader{get64(bytes.data() + 16), get64(bytes.data() + 24)};
}

std::array<char, kRecordHeader> encode(const RecordHeader& header, uint64_t seed, uint64_t offset,
                                       std::string_view head) {
  std::array<char, kRecordHeader> made{};
  const auto put = [&made](size_t at, auto value) { std::memcpy(made.data() + at, &value, sizeof value); };
  put(0, kRecordMagic);
  put(4, uint32_t{header.kind});
  put(8, uint64_t{header.head});
  put(16, header.body);
  put(24, header.body_sum);
  put(32, offset);
  put(40, header_sum({made.data(), kFields}, seed, offset, head));
  return made;
}

std::optional<RecordHeader> decode_record(std::string_view bytes) {
  if (bytes.size() < kRecordHeader || get32(bytes.data()) != kRecordMagic) return std::nullopt;
  const uint32_t kind = get32(bytes.data() + 4);
  const uint64_t head = get64(bytes.data() + 8), body = get64(bytes.data() + 16);
  if (kind > UINT8_MAX || head > kMostHead || body > kMostBody) return std::nullopt;
  return RecordHeader{static_cast<uint8_t>(kind), static_cast<uint32_t>(head), body, get64(bytes.data() + 24)};
}

bool stands_at(std::string_view header, uint64_t offset) { return get64(header.data() + 32) == offset; }

bool is_sound(std::string_view header, uint64_t seed, uint64_t offset, std::string_view head) {
  return stands_at(header, offset) &&
         get64(header.data() + kFields) == header_sum(header.substr(0, kFields), seed, offset, head);
}

BodySum::BodySum(uint64_t seed, uint64_t offset) : state_(XXH3_createState()) {
  if (state_ == nullptr) throw std::bad_alloc();
  XXH3_64bits_reset_withSeed(static_cast<XXH3_state_t*>(state_), seed_at(seed, ~offset));
}
BodySum::~BodySum() { XXH3_freeState(static_cast<XXH3_state_t*>(state_)); }
void BodySum::add(std::string_view piece) {
  XXH3_64bits_update(static_cast<XXH3_state_t*>(state_), piece.data(), piece.size());
}
uint64_t BodySum::value() const { return XXH3_64bits_digest(static_cast<const XXH3_state_t*>(state_)); }

}  // namespace doorward::journal
