#include "net/dns_wire.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "mail/ascii.h"

namespace doorward::net {
namespace {

constexpr size_t kHeader = 12;
constexpr size_t kMostName = 255;     // octets on the wire, the root's included (RFC 1035 §2.3.4)
constexpr size_t kMostLabel = 63;     // octets
constexpr size_t kMostAliases = 8;    // CNAMEs that are followed
constexpr size_t kMostRecords = 200;  // of one message
constexpr uint16_t kClassIn = 1;
constexpr uint8_t kResponse = 0x80, kOpcode = 0x78, kTruncated = 0x02, kRecursionDesired = 0x01, kRcode = 0x0F;
constexpr uint8_t kNoError = 0, kNxDomain = 3, kRefused = 5;

uint8_t octet(char c) { return static_cast<uint8_t>(c); }

void append16(std::string& to, uint16_t value) {
  to += static_cast<char>(value >> 8);
  to += static_cast<char>(value & 0xFF);
}

// Reads a message from the front on; whatever is not there makes it fail, and it stays failed.
class Reader {
 public:
  explicit Reader(std::string_view message) : message_(message) {}
  bool failed() const { return failed_; }

  uint8_t u8() { return octet(front(1)[0]); }
  uint16_t u16() {
    const std::string_view two = front(2);
    return static_cast<uint16_t>(octet(two[0]) << 8 | octet(two[1]));
  }
  uint32_t u32() {
    const uint32_t high = u16();
    return high << 16 | u16();
  }
  std::string_view octets(size_t count) { return front(count).substr(0, count); }

  // Expanded (§4.1.4). A pointer must point before where it stands, so that no chain of them is endless.
  std::string name() {
    std::string expanded;
    size_t at = at_, before = at_;
    bool jumped = false;
    for (;;) {
      if (at >= message_.size()) return fail();
      const size_t length = octet(message_[at]);
      if (length > kMostLabel) {
        if ((length & 0xC0) != 0xC0 || at + 1 >= message_.size()) return fail();
        const size_t target = (length & 0x3F) << 8 | octet(message_[at + 1]);
        if (!jumped) at_ = at + 2;
        jumped = true;
        if (target >= before) return fail();
        at = before = target;
        continue;
      }
      if (at + 1 + length > message_.size() || expanded.size() + 1 + length > kMostName) return fail();
      expanded += message_.substr(at, 1 + length);
      at += 1 + length;
      if (length == 0) break;
    }
    if (!jumped) at_ = at;
    return expanded;
  }

 private:
  std::string_view front(size_t count) {
    static constexpr std::string_view kNothing("\0\0\0\0", 4);
    if (failed_ || message_.size() - at_ < count) {
      failed_ = true;
      return kNothing;
    }
    at_ += count;
    return message_.substr(at_ - count, std::max<size_t>(count, 1));
  }
  std::string fail() {
    failed_ = true;
    return {};
  }

  std::string_view message_;
  size_t at_ = 0;
  bool failed_ = false;
};

struct Record {
  std::string owner, target;  // wire form, lower case; target: of CNAME
  uint16_t type = 0;
  uint32_t ttl = 0;
  std::string_view rdata;
};

std::string lower(std::string wire_name) {
  std::ranges::transform(wire_name, wire_name.begin(), mail::to_lower);
  return wire_name;
}

// RFC 2181 §8: the top bit is to be taken as zero seconds.
uint32_t seconds(uint32_t ttl) { return ttl > 0x7FFFFFFF ? 0 : ttl; }

std::optional<Record> read_record(Reader& reader) {
  Record record;
  record.owner = lower(reader.name());
  record.type = reader.u16();
  const uint16_t of = reader.u16();
  record.ttl = seconds(reader.u32());
  const uint16_t length = reader.u16();
  if (record.type == static_cast<uint16_t>(DnsType::cname)) {
    Reader inside = reader;  // the target may be compressed against the whole message
    record.target = lower(inside.name());
    if (inside.failed()) return std::nullopt;
  }
  record.rdata = reader.octets(length);
  if (reader.failed()) return std::nullopt;
  if (of != kClassIn) record.type = 0;  // of no interest
  return record;
}

std::optional<std::vector<Record>> read_records(Reader& reader, size_t count) {
  std::vector<Record> records;
  for (size_t i = 0; i < count; ++i) {
    if (records.size() == kMostRecords) return std::nullopt;
    auto record = read_record(reader);
    if (!record) return std::nullopt;
    records.push_back(std::move(*record));
  }
  return records;
}

// How long the absence holds (RFC 2308 §5): the smaller of the SOA's TTL and its last field.
uint32_t negative_ttl(const std::vector<Record>& authority) {
  for (const Record& record : authority) {
    if (record.type != static_cast<uint16_t>(DnsType::soa) || record.rdata.size() < 20) continue;
    Reader last(record.rdata.substr(record.rdata.size() - 4));
    return std::min(record.ttl, seconds(last.u32()));
  }
  return 0;
}

DnsAnswer answer_of(const DnsQuestion& question, const std::vector<Record>& records, uint8_t rcode, uint32_t negative) {
  DnsAnswer answer;
  DnsRecords found{question.type, {}, {}};
  const std::string asked = lower(question.wire_name);
  std::string owner = asked;
  uint32_t ttl = UINT32_MAX;
  for (size_t aliases = 0; aliases < kMostAliases; ++aliases) {
    const auto alias = std::ranges::find_if(records, [&](const Record& record) {
      return record.type == static_cast<uint16_t>(DnsType::cname) && record.owner == owner;
    });
    if (alias == records.end()) break;
    ttl = std::min(ttl, alias->ttl);
    owner = alias->target;
  }
  for (const Record& record : records) {
    if (record.type != static_cast<uint16_t>(question.type) || record.owner != owner) continue;
    ttl = std::min(ttl, record.ttl);
    found.rdata.emplace_back(record.rdata);
  }
  if (owner != asked) {
    const DnsAnswer alias{.records = std::make_shared<DnsRecords>(DnsRecords{DnsType::cname, {}, {owner}})};
    const auto names = alias.names();
    if (!names.empty()) found.canonical = names.front();
  }
  if (found.rdata.empty()) {
    answer.status = rcode == kNxDomain ? DnsStatus::nxdomain : DnsStatus::no_data;
    ttl = std::min(ttl, negative);
  } else {
    answer.status = DnsStatus::found;
  }
  answer.ttl = std::chrono::seconds(ttl);
  if (!found.rdata.empty() || !found.canonical.empty()) {
    answer.records = std::make_shared<DnsRecords>(std::move(found));
  }
  return answer;
}

// The octet that `text` begins with, \DDD being one.
std::optional<char> take_octet(std::string_view& text) {
  const char first = text.front();
  text.remove_prefix(1);
  if (first != '\\') return first;
  if (text.size() < 3 || !std::ranges::all_of(text.substr(0, 3), mail::is_digit)) return std::nullopt;
  const int value = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
  text.remove_prefix(3);
  if (value > 255) return std::nullopt;
  return static_cast<char>(value);
}

}  // namespace

std::optional<DnsQuestion> DnsQuestion::make(std::string_view name, DnsType type, uint16_t id, uint64_t bits) {
  DnsQuestion question{id, type, {}};
  std::string& wire = question.wire_name;
  size_t label = 0;  // where its length stands
  wire += '\0';
  while (!name.empty()) {
    if (name.front() == '.') {
      if (wire.size() == label + 1) return std::nullopt;
      name.remove_prefix(1);
      label = wire.size();
      wire += '\0';
      continue;
    }
    const auto c = take_octet(name);
    if (!c || octet(wire[label]) == kMostLabel) return std::nullopt;
    const bool letter = *c >= 'a' && *c <= 'z';
    wire += letter && (bits & 1) != 0 ? static_cast<char>(*c - 'a' + 'A') : *c;
    if (letter) bits = bits >> 1 | bits << 63;
    wire[label] = static_cast<char>(wire[label] + 1);
  }
  if (wire[label] == 0) return std::nullopt;  // the root, or a dot at the end
  wire += '\0';
  if (wire.size() > kMostName) return std::nullopt;
  return question;
}

std::string DnsQuestion::message() const {
  std::string made;
  made.reserve(kHeader + wire_name.size() + 4);
  append16(made, id);
  made += static_cast<char>(kRecursionDesired);  // of no account to servers that are asked for their own zones
  made += '\0';
  append16(made, 1);
  made.append(6, '\0');
  made += wire_name;
  append16(made, static_cast<uint16_t>(type));
  append16(made, kClassIn);
  return made;
}

std::optional<DnsReply> read_reply(const DnsQuestion& question, std::string_view message) {
  Reader reader(message.substr(0, kMostDatagram));
  const uint16_t id = reader.u16();
  const uint8_t flags = reader.u8(), more_flags = reader.u8();
  const uint16_t questions = reader.u16(), answers = reader.u16(), authorities = reader.u16();
  (void)reader.u16();
  if (reader.failed() || id != question.id || (flags & kResponse) == 0 || (flags & kOpcode) != 0) return std::nullopt;
  const uint8_t rcode = more_flags & kRcode;
  DnsReply reply;
  reply.answer = dns_failure(DnsStatus::servfail);
  reply.truncated = (flags & kTruncated) != 0;
  reply.refused = rcode == kRefused;
  // Some servers leave the question out where they only say no.
  if (questions == 0 && rcode != kNoError && rcode != kNxDomain) return reply;
  if (questions != 1) return std::nullopt;
  const std::string name = reader.name();
  const uint16_t type = reader.u16(), of = reader.u16();
  if (reader.failed() || name != question.wire_name || type != static_cast<uint16_t>(question.type) || of != kClassIn) {
    return std::nullopt;
  }
  if (rcode != kNoError && rcode != kNxDomain) return reply;
  const auto records = read_records(reader, answers);
  if (!records) return reply;
  const auto authority = read_records(reader, authorities);
  DnsAnswer answer = answer_of(question, *records, rcode, authority ? negative_ttl(*authority) : 0);
  // Cut off before any record: its absence means nothing.
  if (!reply.truncated || answer.found()) reply.answer = std::move(answer);
  return reply;
}

}  // namespace doorward::net
