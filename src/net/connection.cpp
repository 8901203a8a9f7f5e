#include "net/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>

#include "net/detail/connection_state.h"
#include "net/detail/socket_address.h"

namespace doorward::net {

using detail::io_failure;

namespace {

constexpr size_t kPiecesAtOnce = 64;  // of one gathered write
constexpr uint8_t kReadsInARow = 16;  // without a turn of the event loop

// Everything else that is ready on the core goes first.
struct Turn {
  Core::State& core;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> self) const {
    boost::asio::post(core.io, [self] { self.resume(); });
  }
  void await_resume() const noexcept {}
};

}  // namespace

Connection::State::State(Core& on, int descriptor, int family, Endpoint peer)
    : core(on), core_state(Core::State::of(on)), remote(std::move(peer)) {
  boost::system::error_code error;
  socket.emplace(core_state.io);
  socket->assign(boost::asio::generic::stream_protocol(family, 0), descriptor, error);
  if (error) {  // the event loop cannot take more
    ::close(descriptor);
    socket.reset();
    return;
  }
  core_state.residents.push_back(*this);
  if (core_state.stopping) close();
}

Connection::State::~State() {
  core_state.deadlines.remove(*this);
  close();
}

std::unexpected<IoFailure> Connection::State::failure(int error_number, std::string_view doing) const {
  if (error_number == detail::kEndOfStream) return io_failure(IoError::closed, "the peer closed the connection");
  if (!socket) return io_failure(IoError::closed, "closed on this side");
  if (error_number == ECANCELED) return io_failure(IoError::timed_out, std::string(doing) + " took too long");
  return io_failure(error_number, doing);
}

void Connection::State::expired() {
  if (waiting == 0 || !socket) return;
  boost::system::error_code ignored;
  socket->cancel(ignored);
}

void Connection::State::core_stops() {
  core_state.deadlines.remove(*this);
  close();
}

void Connection::State::close() {
  if (!socket) return;
  if (tls && !tls_broken && SSL_is_init_finished(tls.get()) == 1) SSL_shutdown(tls.get());
  boost::system::error_code ignored;
  socket->close(ignored);  // lets what waits end with operation_aborted
  socket.reset();
  if (waiting == 0) tls.reset();
}

namespace detail {

bool SocketWait::await_suspend(std::coroutine_handle<> waiter) {
  if (!state.socket) {
    error = ECANCELED;
    return false;
  }
  state.begin_wait();
  const auto kind = for_what == Connection::State::Wait::read ? Connection::State::Socket::wait_read
                                                              : Connection::State::Socket::wait_write;
  state.socket->async_wait(kind,
                           [this, keep = state.shared_from_this(), waiter](const boost::system::error_code& code) {
                             --keep->waiting;
                             error = code.value();
                             waiter.resume();
                           });
  return true;
}

bool SocketReceive::await_suspend(std::coroutine_handle<> waiter) {
  if (!state.socket) {
    error = ECANCELED;
    return false;
  }
  state.begin_wait();
  state.socket->async_receive(
      boost::asio::buffer(into.data(), into.size()),
      [this, keep = state.shared_from_this(), waiter](const boost::system::error_code& code, size_t bytes) {
        --keep->waiting;
        received = bytes;
        error = code == boost::asio::error::eof ? kEndOfStream : code.value();
        waiter.resume();
      });
  return true;
}

}  // namespace detail

Connection::Connection(std::shared_ptr<State> state) : state_(std::move(state)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&& other) noexcept {
  if (this != &other) {
    if (state_) state_->close();
    state_ = std::move(other.state_);
  }
  return *this;
}
Connection::~Connection() {
  if (state_) state_->close();
}

Task<Io<Connection>> Connection::connect(Core& core, Endpoint to, std::chrono::milliseconds timeout,
                                         mail::IpAddress from) {
  const auto address = detail::SocketAddress::of(to);
  const int descriptor = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) co_return io_failure(errno, "socket");
  auto state = std::make_shared<State>(core, descriptor, address.family(), to);
  if (!state->socket) co_return io_failure(IoError::closed, "closed on this side");
  if (address.family() != AF_UNIX) {
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!from.is_unspecified()) {
      const auto own = detail::SocketAddress::of(Endpoint{from, 0, {}});
      if (::bind(descriptor, own.get(), own.length) != 0) co_return io_failure(errno, "bind to " + from.text());
    }
  }
  if (::connect(descriptor, address.get(), address.length) != 0) {
    if (errno != EINPROGRESS) co_return io_failure(errno, "connect to " + to.text());
    state->deadline = std::chrono::steady_clock::now() + timeout;
    if (const int error = co_await state->wait(State::Wait::write); error != 0) {
      co_return state->failure(error, "connect to " + to.text());
    }
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) co_return io_failure(error, "connect to " + to.text());
    state->deadline = SteadyTime::max();
  }
  co_return Connection(std::move(state));
}

void Connection::set_timeout(std::chrono::milliseconds from_now) {
  state_->deadline = std::chrono::steady_clock::now() + from_now;
  if (state_->waiting > 0) state_->core_state.deadlines.set(*state_, state_->deadline);
}

Task<Io<size_t>> Connection::read_some(std::span<char> into) {
  const std::shared_ptr<State> state = state_;
  if (!state->socket) co_return state->failure(ECANCELED, "read");
  // A peer that sends faster than we read must not keep the core to itself: now and then the loop has its turn.
  if (state->tls) {
    if (++state->reads_in_a_row >= kReadsInARow) {
      state->reads_in_a_row = 0;
      co_await Turn{state->core_state};  // not a wait for the socket: what comes next may be here already
    }
    co_return co_await detail::tls_read(state, into);
  }
  if (state->more_likely && ++state->reads_in_a_row < kReadsInARow) {
    const ssize_t received = ::recv(state->descriptor(), into.data(), into.size(), 0);
    if (received > 0) {
      state->more_likely = static_cast<size_t>(received) == into.size();
      co_return static_cast<size_t>(received);
    }
    if (received == 0) co_return state->failure(detail::kEndOfStream, "read");
    state->more_likely = false;
    if (errno != EAGAIN && errno != EINTR) co_return state->failure(errno, "read");
  }
  state->reads_in_a_row = 0;
  auto receive = state->receive(into);
  co_await receive;
  if (receive.error != 0) co_return state->failure(receive.error, "read");
  state->more_likely = receive.received == into.size();
  co_return receive.received;
}

Task<Io<void>> Connection::wait_readable() {
  const std::shared_ptr<State> state = state_;
  if (!state->socket) co_return state->failure(ECANCELED, "read");
  if (state->tls && SSL_has_pending(state->tls.get()) == 1) co_return Io<void>();
  if (const int error = co_await state->wait(State::Wait::read); error != 0) co_return state->failure(error, "read");
  co_return Io<void>();
}

bool Connection::input_pending() {
  if (!state_->socket) return true;
  if (state_->tls) return detail::tls_input_pending(*state_);
  char byte = 0;
  const ssize_t seen = ::recv(state_->descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return seen >= 0 || (errno != EAGAIN && errno != EINTR);
}

namespace {

// Steps over `written` octets of iovecs; returns how many iovecs are done.
size_t step_over(std::span<iovec> parts, size_t written) {
  size_t done = 0;
  while (done < parts.size() && written >= parts[done].iov_len) written -= parts[done++].iov_len;
  if (done < parts.size()) {
    parts[done].iov_base = static_cast<char*>(parts[done].iov_base) + written;
    parts[done].iov_len -= written;
  }
  return done;
}

Task<Io<void>> plain_write(std::shared_ptr<Connection::State> state, std::span<const std::string_view> pieces) {
  std::array<iovec, kPiecesAtOnce> room;
  while (!pieces.empty()) {
    const size_t count = std::min(pieces.size(), room.size());
    for (size_t i = 0; i < count; ++i) {
      room[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};  // sendmsg(2) only reads them
    }
    pieces = pieces.subspan(count);
    std::span<iovec> parts(room.data(), count);
    while (!(parts = parts.subspan(step_over(parts, 0))).empty()) {
      if (!state->socket) co_return state->failure(ECANCELED, "write");
      msghdr message{};
      message.msg_iov = parts.data();
      message.msg_iovlen = parts.size();
      const ssize_t written = ::sendmsg(state->descriptor(), &message, MSG_NOSIGNAL);
      if (written >= 0) {
        parts = parts.subspan(step_over(parts, static_cast<size_t>(written)));
      } else if (errno == EAGAIN) {
        const int error = co_await state->wait(Connection::State::Wait::write);
        if (error != 0) co_return state->failure(error, "write");
      } else if (errno != EINTR) {
        co_return state->failure(errno, "write");
      }
    }
  }
  co_return Io<void>();
}

}  // namespace

Task<Io<void>> Connection::write(std::string_view bytes) {
  const std::shared_ptr<State> state = state_;
  if (state->socket && !state->tls && !bytes.empty()) {
    const ssize_t sent = ::send(state->descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(bytes.size())) co_return Io<void>();
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
    if (sent < 0 && errno != EAGAIN && errno != EINTR) co_return state->failure(errno, "write");
  }
  const std::array<std::string_view, 1> one{bytes};
  if (state->tls) co_return co_await detail::tls_write(state, one);
  co_return co_await plain_write(state, one);
}

Task<Io<void>> Connection::write(std::vector<std::string_view> pieces) {
  const std::shared_ptr<State> state = state_;
  if (state->tls) co_return co_await detail::tls_write(state, pieces);
  co_return co_await plain_write(state, pieces);
}

bool Connection::is_tls() const { return state_->tls != nullptr; }
const Endpoint& Connection::remote() const { return state_->remote; }
const Endpoint& Connection::local() const {
  if (!state_->local_known && state_->socket) {
    detail::SocketAddress address;
    address.length = sizeof address.storage;
    if (::getsockname(state_->descriptor(), address.get(), &address.length) == 0) state_->local = address.endpoint();
    state_->local_known = true;
  }
  return state_->local;
}
void Connection::set_remote(Endpoint real) { state_->remote = std::move(real); }
Core& Connection::core() { return state_->core; }
bool Connection::is_open() const { return state_->socket.has_value(); }
void Connection::shut_write() {
  if (!state_->socket) return;
  if (state_->tls && !state_->tls_broken && SSL_is_init_finished(state_->tls.get()) == 1) {
    SSL_shutdown(state_->tls.get());
  }
  ::shutdown(state_->descriptor(), SHUT_WR);
}
void Connection::close() { state_->close(); }

}  // namespace doorward::net
