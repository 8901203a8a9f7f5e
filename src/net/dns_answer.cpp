#include "net/dns_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "mail/ascii.h"
#include "mail/domain.h"
#include "mail/utf8.h"

namespace doorward::net {
namespace {

constexpr size_t kMostLabel = 63;  // octets (RFC 1035 §2.3.4)
constexpr size_t kMostName = 254;  // octets on the wire without the root's: 253 as text

uint8_t octet(char c) { return static_cast<uint8_t>(c); }

// Letters, digits and what else stands in names without a meaning of its own (RFC 1035 §5.1).
bool is_plain(char c) {
  return c > ' ' && c < 0x7F && std::string_view(".\\\"();@$").find(c) == std::string_view::npos;
}

void append_octet(std::string& name, char c) {
  if (is_plain(c)) {
    name += mail::to_lower(c);
  } else {
    fmt::format_to(std::back_inserter(name), "\\{:03}", octet(c));
  }
}

// Takes `octets` off the front of `wire`.
std::optional<std::string_view> take(std::string_view& wire, size_t octets) {
  if (wire.size() < octets) return std::nullopt;
  const std::string_view front = wire.substr(0, octets);
  wire.remove_prefix(octets);
  return front;
}

uint32_t number(std::string_view octets) {
  uint32_t value = 0;
  for (const char c : octets) value = value << 8 | octet(c);
  return value;
}

// A name without compression (RFC 3597 §4: libunbound expands it); "" is the root.
std::optional<std::string> take_name(std::string_view& wire) {
  std::string name;
  const size_t before = wire.size();
  while (const auto length = take(wire, 1)) {
    const size_t octets = octet(length->front());
    if (octets == 0) return name;
    const auto label = take(wire, octets);
    if (octets > kMostLabel || !label || before - wire.size() > kMostName) return std::nullopt;
    if (!name.empty()) name += '.';
    for (const char c : *label) append_octet(name, c);
  }
  return std::nullopt;
}

// The octet that `name` begins with, \DDD being one; none where a backslash begins no such thing.
std::optional<char> take_octet(std::string_view& name) {
  const char first = name.front();
  name.remove_prefix(1);
  if (first != '\\') return first;
  if (name.size() < 3 || !std::ranges::all_of(name.substr(0, 3), mail::is_digit)) return std::nullopt;
  const int value = (name[0] - '0') * 100 + (name[1] - '0') * 10 + (name[2] - '0');
  if (value > 255) return std::nullopt;
  name.remove_prefix(3);
  return static_cast<char>(value);
}

}  // namespace

std::string_view text(DnsType type) {
  switch (type) {
    case DnsType::a:
      return "a";
    case DnsType::ns:
      return "ns";
    case DnsType::cname:
      return "cname";
    case DnsType::soa:
      return "soa";
    case DnsType::ptr:
      return "ptr";
    case DnsType::mx:
      return "mx";
    case DnsType::txt:
      return "txt";
    case DnsType::aaaa:
      return "aaaa";
    case DnsType::tlsa:
      return "tlsa";
  }
  return "other";
}

std::string_view text(DnsStatus status) {
  switch (status) {
    case DnsStatus::found:
      return "found";
    case DnsStatus::no_data:
      return "no_data";
    case DnsStatus::nxdomain:
      return "nxdomain";
    case DnsStatus::servfail:
      return "servfail";
    case DnsStatus::timeout:
      return "timeout";
    case DnsStatus::bogus:
      return "bogus";
    case DnsStatus::no_room:
      return "no_room";
  }
  return "other";
}

DnsAnswer dns_failure(DnsStatus status) {
  DnsAnswer answer;
  answer.status = status;
  return answer;
}

std::string_view DnsAnswer::canonical() const { return records ? std::string_view(records->canonical) : ""; }

std::span<const std::string> DnsAnswer::rdata() const {
  return records ? std::span<const std::string>(records->rdata) : std::span<const std::string>();
}

std::vector<mail::IpAddress> DnsAnswer::addresses() const {
  std::vector<mail::IpAddress> result;
  for (const std::string& data : rdata()) {
    if (records->type == DnsType::a && data.size() == 4) {
      result.push_back(mail::IpAddress::v4(number(data)));
    } else if (records->type == DnsType::aaaa && data.size() == 16) {
      std::array<uint8_t, 16> bytes{};
      std::ranges::transform(data, bytes.begin(), octet);
      result.push_back(mail::IpAddress::v6(bytes));
    }
  }
  return result;
}

std::vector<MailExchange> DnsAnswer::exchanges() const {
  std::vector<MailExchange> result;
  if (!records || records->type != DnsType::mx) return result;
  for (std::string_view data : rdata()) {
    const auto preference = take(data, 2);
    if (!preference) continue;
    if (auto exchange = take_name(data)) {
      result.push_back({static_cast<uint16_t>(number(*preference)), std::move(*exchange)});
    }
  }
  return result;
}

std::vector<std::string> DnsAnswer::texts() const {
  std::vector<std::string> result;
  if (!records || records->type != DnsType::txt) return result;
  for (std::string_view data : rdata()) {
    std::string joined;
    bool whole = !data.empty();
    while (whole && !data.empty()) {
      const auto length = take(data, 1);
      const auto piece = take(data, octet(length->front()));
      whole = piece.has_value();
      if (whole) joined += *piece;
    }
    if (whole) result.push_back(std::move(joined));
  }
  return result;
}

std::vector<std::string> DnsAnswer::names() const {
  std::vector<std::string> result;
  if (!records) return result;
  if (records->type != DnsType::ptr && records->type != DnsType::cname && records->type != DnsType::ns) return result;
  for (std::string_view data : rdata()) {
    if (auto name = take_name(data)) result.push_back(std::move(*name));
  }
  return result;
}

std::vector<TlsaRecord> DnsAnswer::tlsa() const {
  std::vector<TlsaRecord> result;
  if (!records || records->type != DnsType::tlsa) return result;
  for (const std::string& data : rdata()) {
    if (data.size() > 3) result.push_back({octet(data[0]), octet(data[1]), octet(data[2]), data.substr(3)});
  }
  return result;
}

std::vector<StartOfAuthority> DnsAnswer::authority() const {
  std::vector<StartOfAuthority> result;
  if (!records || records->type != DnsType::soa) return result;
  for (std::string_view data : rdata()) {
    auto primary = take_name(data);
    if (!primary) continue;
    auto mailbox = take_name(data);
    if (!mailbox || data.size() != 20) continue;
    result.push_back({std::move(*primary), std::move(*mailbox), number(data.substr(0, 4)), number(data.substr(16))});
  }
  return result;
}

std::string dns_name(std::string_view name) {
  std::string encoded;
  if (!mail::is_ascii(name)) {
    auto ascii = mail::to_ascii(name);
    if (!ascii) return {};
    encoded = std::move(*ascii);
    name = encoded;
  }
  std::string result;
  result.reserve(name.size());
  size_t label = 0, octets = 0;
  while (!name.empty()) {
    if (name.front() == '.') {
      if (label == 0) return {};
      name.remove_prefix(1);
      if (name.empty()) break;
      result += '.';
      label = 0;
      ++octets;
      continue;
    }
    const auto c = take_octet(name);
    if (!c || ++label > kMostLabel || ++octets >= kMostName) return {};
    append_octet(result, *c);
  }
  return result;
}

std::string reverse_name(const mail::IpAddress& ip) {
  if (ip.is_v4()) {
    const uint32_t bits = ip.v4_bits();
    return fmt::format("{}.{}.{}.{}.in-addr.arpa", bits & 0xFF, bits >> 8 & 0xFF, bits >> 16 & 0xFF, bits >> 24);
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string name;
  for (size_t i = 16; i-- > 0;) {
    const uint8_t byte = ip.bytes()[i];
    name += {kDigits[byte & 0xF], '.', kDigits[byte >> 4], '.'};
  }
  return name + "ip6.arpa";
}

}  // namespace doorward::net
