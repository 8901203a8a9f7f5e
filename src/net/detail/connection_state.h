// The inside of a Connection: for net/'s own sources only. Operations hold it while they wait, so that closing, or
// dropping the Connection, never takes the ground from under them.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <coroutine>
#include <memory>
#include <optional>

#include "base/handle.h"
#include "net/connection.h"
#include "net/detail/core_state.h"

namespace doorward::net {

struct Connection::State final : detail::Deadline, detail::Resident, std::enable_shared_from_this<Connection::State> {
  using Socket = boost::asio::generic::stream_protocol::socket;

  // Takes over `descriptor`, which is non-blocking.
  State(Core& on, int descriptor, int family, Endpoint peer);
  ~State();

  enum class Wait { read, write };
  // Suspends until the socket is ready; false when the connection was closed or its time is up (failure() says which).
  auto wait(Wait for_what);
  // Suspends until bytes came; the number of them, or errno in `error`.
  auto receive(std::span<char> into);

  int descriptor() { return socket->native_handle(); }
  // Why a wait ended without success.
  std::unexpected<IoFailure> failure(int error_number, std::string_view doing) const;

  void begin_wait() {
    ++waiting;
    if (deadline != SteadyTime::max()) core_state.deadlines.set(*this, deadline);
  }
  void expired() override;
  void core_stops() override;
  void close();

  Core& core;
  Core::State& core_state;
  std::optional<Socket> socket;  // none: closed
  Handle<SSL, SSL_free> tls;
  SteadyTime deadline = SteadyTime::max();
  uint8_t waiting = 0;  // operations
  uint8_t reads_in_a_row = 0;
  bool more_likely = false;  // the last read filled its buffer: read at once instead of waiting first
  bool tls_broken = false;   // after a fatal error no close_notify may be sent
  bool local_known = false;
  Endpoint remote;
  Endpoint local;
};

namespace detail {

// Resumes `waiter` right from the event loop's handler.
struct SocketWait {
  Connection::State& state;
  Connection::State::Wait for_what;
  int error = 0;

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter);
  int await_resume() const noexcept { return error; }
};

struct SocketReceive {
  Connection::State& state;
  std::span<char> into;
  size_t received = 0;
  int error = 0;  // -1: the end of the stream

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter);
  void await_resume() const noexcept {}
};

constexpr int kEndOfStream = -1;

// Reads and writes under TLS; `state` is held by the caller's frame.
Task<Io<size_t>> tls_read(std::shared_ptr<Connection::State> state, std::span<char> into);
Task<Io<void>> tls_write(std::shared_ptr<Connection::State> state, std::span<const std::string_view> pieces);
bool tls_input_pending(Connection::State& state);

}  // namespace detail

inline auto Connection::State::wait(Wait for_what) { return detail::SocketWait{*this, for_what}; }
inline auto Connection::State::receive(std::span<char> into) { return detail::SocketReceive{*this, into}; }

}  // namespace doorward::net
