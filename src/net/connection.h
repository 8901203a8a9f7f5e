// A stream to a peer: TCP or a Unix socket, in clear or under TLS, with one deadline.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/task.h"
#include "mail/ip.h"

namespace doorward::net {

class Core;
class TlsServerContext;
class TlsClientContext;

// "127.0.0.1:25", "[::1]:25" or "unix:/path".
struct Endpoint {
  mail::IpAddress ip{};
  uint16_t port = 0;
  std::string unix_path{};

  static Result<Endpoint> parse(std::string_view text, uint16_t default_port = 0);
  std::string text() const;
  auto operator<=>(const Endpoint&) const = default;
};

enum class IoError { closed, timed_out, reset, refused, unreachable, tls, exhausted, other };
std::string_view name(IoError error);

struct IoFailure {
  IoError kind;
  std::string detail;
  IoFailure(IoError k, std::string d) : kind(k), detail(std::move(d)) {}
};
template <class T>
using Io = std::expected<T, IoFailure>;

struct TlsInfo {
  std::string version;      // "TLSv1.3"
  std::string cipher;       // "TLS_AES_256_GCM_SHA384"
  std::string server_name;  // SNI that the client sent, if any
  std::string peer_name;    // subject of the peer's certificate, if it showed one
  bool verified = false;    // the peer's certificate is valid for the name asked for
};

// All operations belong to the core that the connection was made on. At most one read and one write at a time.
// After any failure but timed_out the connection is of no more use; after timed_out too, except for a reply's last
// words.
class Connection {
 public:
  struct State;
  explicit Connection(std::shared_ptr<State> state);  // shared with the operations that are waiting
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  static Task<Io<Connection>> connect(Core& core, Endpoint to, std::chrono::milliseconds timeout,
                                      mail::IpAddress from = {});

  // Every operation that is waiting when this much time has passed fails with timed_out. Re-arm it for each step; it is
  // cheap (one timer a connection, moved lazily).
  void set_timeout(std::chrono::milliseconds from_now);

  // At least one byte; closed at the end of the stream.
  Task<Io<size_t>> read_some(std::span<char> into);
  // Waits until something can be read without holding a buffer (an idle connection costs no buffer).
  Task<Io<void>> wait_readable();
  // Whether bytes (or the end) are there already, without waiting: early talkers (before the banner).
  bool input_pending();
  Task<Io<void>> write(std::string_view bytes);
  Task<Io<void>> write(std::vector<std::string_view> pieces);  // in order, gathered into few system calls

  // TLS on this connection from now on. Precondition: nothing was read beyond the command that asked for it.
  Task<Io<TlsInfo>> start_tls(const TlsServerContext& context);
  // Empty host: no verification of the name.
  Task<Io<TlsInfo>> start_tls(const TlsClientContext& context, std::string host);
  bool is_tls() const;

  const Endpoint& remote() const;
  const Endpoint& local() const;
  // What the PROXY protocol said stands for the real peer from then on.
  void set_remote(Endpoint real);
  Core& core();
  bool is_open() const;
  // No more will be written: the peer sees the end once it has read what was sent.
  void shut_write();
  // Lets waiting operations fail and closes; for TLS, close_notify is tried once without waiting.
  void close();

 private:
  std::shared_ptr<State> state_;
};

}  // namespace doorward::net
