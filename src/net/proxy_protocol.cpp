#include "net/proxy_protocol.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

namespace doorward::net {

namespace {

using State = ProxyParse::State;

constexpr std::string_view kVersion1 = "PROXY ";
constexpr size_t kVersion1Least = 15;  // "PROXY UNKNOWN" CRLF
constexpr size_t kVersion1Most = 107;  // §2.1
constexpr std::string_view kVersion2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t kVersion2Fixed = 16;

ProxyParse invalid() { return {.state = State::invalid}; }
ProxyParse more(size_t missing) { return {.state = State::incomplete, .missing = missing}; }

std::string_view take_word(std::string_view& text) {
  const size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

std::optional<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  if (error != std::errc{} || end != text.data() + text.size() || text.empty() || leading_zero) return std::nullopt;
  return port;
}

ProxyParse parse_version1(std::string_view bytes) {
  const size_t end = bytes.substr(0, kVersion1Most).find("\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() >= kVersion1Most) return invalid();
    if (bytes.size() < kVersion1Least) return more(kVersion1Least - bytes.size());
    return more(bytes.ends_with('\r') ? 1 : 2);
  }
  ProxyParse parsed{.state = State::complete, .used = end + 2};
  std::string_view line = bytes.substr(kVersion1.size(), end - kVersion1.size());
  const std::string_view family = take_word(line);
  if (family == "UNKNOWN") return parsed;
  if (family != "TCP4" && family != "TCP6") return invalid();
  const auto source = mail::IpAddress::parse(take_word(line));
  const auto destination = mail::IpAddress::parse(take_word(line));
  const auto source_port = parse_port(take_word(line));
  const auto destination_port = parse_port(take_word(line));
  if (!source || !destination || !source_port || !destination_port || !line.empty()) return invalid();
  if (family == "TCP4" && !(source->is_v4() && destination->is_v4())) return invalid();
  parsed.header = {true, {*source, *source_port, {}}, {*destination, *destination_port, {}}};
  return parsed;
}

unsigned octet(std::string_view bytes, size_t at) { return static_cast<unsigned char>(bytes[at]); }
uint16_t number16(std::string_view bytes, size_t at) {
  return static_cast<uint16_t>(octet(bytes, at) << 8U | octet(bytes, at + 1));
}

mail::IpAddress ip4(std::string_view bytes, size_t at) {
  return mail::IpAddress::v4(octet(bytes, at) << 24U | octet(bytes, at + 1) << 16U | octet(bytes, at + 2) << 8U |
                             octet(bytes, at + 3));
}

mail::IpAddress ip6(std::string_view bytes, size_t at) {
  std::array<uint8_t, 16> raw{};
  std::memcpy(raw.data(), bytes.data() + at, raw.size());
  return mail::IpAddress::v6(raw);
}

ProxyParse parse_version2(std::string_view bytes) {
  if (bytes.size() < kVersion2Fixed) return more(kVersion2Fixed - bytes.size());
  const unsigned version_command = octet(bytes, 12);
  const unsigned family = octet(bytes, 13);
  const size_t length = number16(bytes, 14);
  if (version_command >> 4U != 2 || (version_command & 0xFU) > 1) return invalid();
  const size_t whole = kVersion2Fixed + length;
  if (whole > kProxyHeaderMost) return invalid();
  if (bytes.size() < whole) return more(whole - bytes.size());
  ProxyParse parsed{.state = State::complete, .used = whole};
  if ((version_command & 0xFU) == 0) return parsed;  // LOCAL: the balancer itself, a health check
  constexpr unsigned kTcp4 = 0x11;
  constexpr unsigned kTcp6 = 0x21;
  const std::string_view addresses = bytes.substr(kVersion2Fixed, length);
  if (family == kTcp4) {
    if (length < 12) return invalid();
    parsed.header = {
        true, {ip4(addresses, 0), number16(addresses, 8), {}}, {ip4(addresses, 4), number16(addresses, 10), {}}};
  } else if (family == kTcp6) {
    if (length < 36) return invalid();
    parsed.header = {
        true, {ip6(addresses, 0), number16(addresses, 32), {}}, {ip6(addresses, 16), number16(addresses, 34), {}}};
  } else if (family != 0) {
    return invalid();  // neither TCP nor unspecified: nothing that SMTP runs over
  }
  return parsed;
}

}  // namespace

ProxyParse parse_proxy_header(std::string_view bytes) {
  const auto begins = [&](std::string_view signature) {
    const size_t size = std::min(signature.size(), bytes.size());
    return bytes.substr(0, size) == signature.substr(0, size);
  };
  if (begins(kVersion1)) {
    if (bytes.size() < kVersion1Least) return more(bytes.empty() ? kVersion1Least : kVersion1Least - bytes.size());
    return parse_version1(bytes);
  }
  if (begins(kVersion2)) return parse_version2(bytes);
  return invalid();
}

}  // namespace doorward::net
