// IP addresses and networks as values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace doorward::mail {

// IPv4 is kept as IPv4-mapped IPv6 (RFC 4291 §2.5.5.2), so that one form serves both. Default: "::", unknown.
class IpAddress {
 public:
  IpAddress() = default;
  static std::optional<IpAddress> parse(std::string_view text);  // "192.0.2.1" or "2001:db8::1", no zone, no port
  static IpAddress v4(uint32_t host_order);
  static IpAddress v6(const std::array<uint8_t, 16>& network_order);

  bool is_v4() const;
  bool is_unspecified() const;  // "::"
  bool is_loopback() const;
  uint32_t v4_bits() const;  // host order; precondition: is_v4()
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }
  std::string text() const;     // RFC 5952
  std::string literal() const;  // "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 §4.1.3)
  auto operator<=>(const IpAddress&) const = default;

 private:
  std::array<uint8_t, 16> bytes_{};
};

// "192.0.2.0/24", "2001:db8::/32", or a single address.
class Network {
 public:
  static std::optional<Network> parse(std::string_view text);  // bits beyond the prefix must be zero
  Network(const IpAddress& base, unsigned prefix_of_128);
  bool contains(const IpAddress& ip) const;
  std::string text() const;
  const IpAddress& base() const { return base_; }
  unsigned prefix() const { return prefix_; }  // of 128 bits, also for IPv4
  auto operator<=>(const Network&) const = default;

 private:
  IpAddress base_;
  unsigned prefix_ = 128;
};

// Loopback, private use (RFC 1918, RFC 4193) and link-local (RFC 3927, RFC 4291 §2.5.6).
std::vector<Network> private_networks();

}  // namespace doorward::mail
