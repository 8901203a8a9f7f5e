#include "mail/ip.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace doorward::mail {
namespace {

constexpr std::array<uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr unsigned kMappedBits = 96;

// Whether all bits of `bytes` beyond the first `prefix` are zero.
bool zero_beyond(const std::array<uint8_t, 16>& bytes, unsigned prefix) {
  for (unsigned i = prefix / 8; i < 16; ++i) {
    const unsigned kept = i == prefix / 8 ? prefix % 8 : 0;
    if ((bytes[i] & (0xFFU >> kept)) != 0) return false;
  }
  return true;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.empty() || text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  char zero_ended[INET6_ADDRSTRLEN];
  *std::ranges::copy(text, zero_ended).out = '\0';
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  if (text.find(':') == std::string_view::npos) {
    in_addr v4_address{};
    if (inet_pton(AF_INET, zero_ended, &v4_address) != 1) return std::nullopt;
    return v4(ntohl(v4_address.s_addr));
  }
  IpAddress result;
  if (inet_pton(AF_INET6, zero_ended, result.bytes_.data()) != 1) return std::nullopt;
  return result;
}

IpAddress IpAddress::v4(uint32_t host_order) {
  IpAddress result;
  std::ranges::copy(kMapped, result.bytes_.begin());
  for (unsigned i = 0; i < 4; ++i) result.bytes_[12 + i] = static_cast<uint8_t>(host_order >> (24 - 8 * i));
  return result;
}

IpAddress IpAddress::v6(const std::array<uint8_t, 16>& network_order) {
  IpAddress result;
  result.bytes_ = network_order;
  return result;
}

bool IpAddress::is_v4() const { return std::equal(kMapped.begin(), kMapped.end(), bytes_.begin()); }

bool IpAddress::is_unspecified() const { return bytes_ == std::array<uint8_t, 16>{}; }

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[12] == 127;
  return bytes_[15] == 1 && std::all_of(bytes_.begin(), bytes_.end() - 1, [](uint8_t b) { return b == 0; });
}

uint32_t IpAddress::v4_bits() const {
  uint32_t bits = 0;
  for (unsigned i = 12; i < 16; ++i) bits = bits << 8 | bytes_[i];
  return bits;
}

std::string IpAddress::text() const {
  char buffer[INET6_ADDRSTRLEN];
  const char* written = is_v4() ? inet_ntop(AF_INET, bytes_.data() + 12, buffer, sizeof buffer)
                                : inet_ntop(AF_INET6, bytes_.data(), buffer, sizeof buffer);
  return written;
}

std::string IpAddress::literal() const { return (is_v4() ? "[" : "[IPv6:") + text() + "]"; }

std::optional<Network> Network::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto base = IpAddress::parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  if (slash == std::string_view::npos) return Network(*base, 128);
  const std::string_view digits = text.substr(slash + 1);
  // "::ffff:192.0.2.0/120" is written as IPv6 and counts 128 bits, though it names IPv4 addresses.
  const bool as_v4 = text.substr(0, slash).find(':') == std::string_view::npos;
  unsigned prefix = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (error != std::errc{} || end != digits.data() + digits.size() || prefix > (as_v4 ? 32U : 128U)) {
    return std::nullopt;
  }
  if (as_v4) prefix += kMappedBits;
  if (!zero_beyond(base->bytes(), prefix)) return std::nullopt;
  return Network(*base, prefix);
}

Network::Network(const IpAddress& base, unsigned prefix_of_128) : base_(base), prefix_(prefix_of_128) {
  if (prefix_of_128 > 128) throw std::invalid_argument("a network's prefix has at most 128 bits");
}

bool Network::contains(const IpAddress& ip) const {
  const unsigned whole = prefix_ / 8;
  if (!std::equal(base_.bytes().begin(), base_.bytes().begin() + whole, ip.bytes().begin())) return false;
  const unsigned rest = prefix_ % 8;
  if (rest == 0) return true;
  const unsigned mask = 0xFF00U >> rest & 0xFFU;
  return ((base_.bytes()[whole] ^ ip.bytes()[whole]) & mask) == 0;
}

std::string Network::text() const {
  if (base_.is_v4() && prefix_ >= kMappedBits) return base_.text() + "/" + std::to_string(prefix_ - kMappedBits);
  return base_.text() + "/" + std::to_string(prefix_);
}

std::vector<Network> private_networks() {
  std::vector<Network> networks;
  for (const std::string_view text : {"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
                                      "::1/128", "fc00::/7", "fe80::/10"}) {
    networks.push_back(Network::parse(text).value());
  }
  return networks;
}

}  // namespace doorward::mail
