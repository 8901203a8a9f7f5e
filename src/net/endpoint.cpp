#include <netinet/in.h>

#include <charconv>
#include <cstring>
#include <system_error>

#include "net/connection.h"
#include "net/detail/socket_address.h"

namespace doorward::net {

namespace {

constexpr std::string_view kUnix = "unix:";

bool parse_port(std::string_view text, uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view text, uint16_t default_port) {
  Endpoint endpoint;
  const auto wrong = [&](std::string_view why) {
    return fail("\"" + std::string(text) + "\" is no endpoint: " + std::string(why) +
                "; write 192.0.2.1:25, [2001:db8::1]:25 or unix:/path");
  };
  if (text.starts_with(kUnix)) {
    endpoint.unix_path = text.substr(kUnix.size());
    if (endpoint.unix_path.empty()) return wrong("the path is missing");
    if (endpoint.unix_path.size() >= sizeof(sockaddr_un::sun_path)) return wrong("the path is too long");
    return endpoint;
  }
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return wrong("\"]\" is missing");
    host = text.substr(1, end - 1);
    std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return wrong("after \"]\" comes a port");
    if (!rest.empty()) port = rest.substr(1);
    if (!rest.empty() && port.empty()) return wrong("the port is missing");
  } else if (const size_t colon = text.find(':'); colon != std::string_view::npos && text.rfind(':') == colon) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (port.empty()) return wrong("the port is missing");
  }
  const auto ip = mail::IpAddress::parse(host);
  if (!ip) return wrong("the host must be an IP address");
  endpoint.ip = *ip;
  endpoint.port = default_port;
  if (!port.empty() && !parse_port(port, endpoint.port)) return wrong("a port is a number up to 65535");
  return endpoint;
}

std::string Endpoint::text() const {
  if (!unix_path.empty()) return std::string(kUnix) + unix_path;
  const std::string host = ip.is_v4() ? ip.text() : "[" + ip.text() + "]";
  return host + ":" + std::to_string(port);
}

std::string_view name(IoError error) {
  switch (error) {
    case IoError::closed:
      return "closed";
    case IoError::timed_out:
      return "timed out";
    case IoError::reset:
      return "reset";
    case IoError::refused:
      return "refused";
    case IoError::unreachable:
      return "unreachable";
    case IoError::tls:
      return "tls";
    case IoError::exhausted:
      return "exhausted";
    case IoError::other:
      return "other";
  }
  return "other";
}

namespace detail {

const sockaddr* SocketAddress::get() const { return reinterpret_cast<const sockaddr*>(&storage); }
sockaddr* SocketAddress::get() { return reinterpret_cast<sockaddr*>(&storage); }

SocketAddress SocketAddress::of(const Endpoint& endpoint) {
  SocketAddress address;
  if (!endpoint.unix_path.empty()) {
    auto& to = reinterpret_cast<sockaddr_un&>(address.storage);
    to.sun_family = AF_UNIX;
    endpoint.unix_path.copy(to.sun_path, sizeof to.sun_path - 1);
    address.length = sizeof to;
  } else if (endpoint.ip.is_v4()) {
    auto& to = reinterpret_cast<sockaddr_in&>(address.storage);
    to.sin_family = AF_INET;
    to.sin_port = htons(endpoint.port);
    to.sin_addr.s_addr = htonl(endpoint.ip.v4_bits());
    address.length = sizeof to;
  } else {
    auto& to = reinterpret_cast<sockaddr_in6&>(address.storage);
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(endpoint.port);
    std::memcpy(&to.sin6_addr, endpoint.ip.bytes().data(), endpoint.ip.bytes().size());
    address.length = sizeof to;
  }
  return address;
}

Endpoint SocketAddress::endpoint() const {
  Endpoint result;
  if (family() == AF_INET) {
    const auto& from = reinterpret_cast<const sockaddr_in&>(storage);
    result.ip = mail::IpAddress::v4(ntohl(from.sin_addr.s_addr));
    result.port = ntohs(from.sin_port);
  } else if (family() == AF_INET6) {
    const auto& from = reinterpret_cast<const sockaddr_in6&>(storage);
    std::array<uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &from.sin6_addr, bytes.size());
    result.ip = mail::IpAddress::v6(bytes);
    result.port = ntohs(from.sin6_port);
  } else if (family() == AF_UNIX && length > offsetof(sockaddr_un, sun_path)) {
    const auto& from = reinterpret_cast<const sockaddr_un&>(storage);
    result.unix_path.assign(from.sun_path, strnlen(from.sun_path, length - offsetof(sockaddr_un, sun_path)));
  }
  return result;
}

IoError error_kind(int error_number) {
  switch (error_number) {
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
      return IoError::reset;
    case ECONNREFUSED:
    case ENOENT:
      return IoError::refused;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
      return IoError::unreachable;
    case ETIMEDOUT:
      return IoError::timed_out;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return IoError::exhausted;
    default:
      return IoError::other;
  }
}

std::unexpected<IoFailure> io_failure(int error_number, std::string_view doing) {
  return io_failure(error_kind(error_number),
                    std::string(doing) + ": " + std::error_code(error_number, std::generic_category()).message());
}

}  // namespace detail

}  // namespace doorward::net
