#include "net/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <optional>
#include <system_error>

#include "base/guarded.h"
#include "base/log.h"
#include "net/detail/connection_state.h"
#include "net/detail/socket_address.h"

namespace doorward::net {

namespace {

constexpr int kAcceptedAtOnce = 64;  // before other sessions of the core get their turn
constexpr std::chrono::milliseconds kNoDescriptorsWait{100};
constexpr std::chrono::seconds kLogAgainAfter{10};

// One listening socket on one core.
struct Acceptor final : detail::Resident {
  Acceptor(Core& on, int descriptor, int address_family) : core(on), family(address_family) {
    socket.emplace(on.io(), descriptor);
  }
  // The list of residents is the core's own: it is touched on the core alone, though the listener is made and dropped
  // elsewhere.
  void move_in() {
    auto& state = Core::State::of(core);
    if (state.stopping) close();
    if (socket) state.residents.push_back(*this);
  }
  void core_stops() override { close(); }
  void close() {
    boost::system::error_code ignored;
    if (socket) socket->close(ignored);
    socket.reset();
    if (is_linked()) unlink();
  }

  Core& core;
  int family;
  std::optional<boost::asio::posix::stream_descriptor> socket;
};

struct Readable {
  Acceptor& acceptor;
  bool await_ready() const noexcept { return !acceptor.socket; }
  void await_suspend(std::coroutine_handle<> waiter) const {
    acceptor.socket->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                [waiter](const boost::system::error_code&) { waiter.resume(); });
  }
  void await_resume() const noexcept {}
};

Result<int> open_socket(const Endpoint& at, int backlog) {
  const auto address = detail::SocketAddress::of(at);
  const auto failed = [&](std::string_view doing) {
    const std::string why = std::error_code(errno, std::generic_category()).message();
    return fail("cannot " + std::string(doing) + " " + at.text() + ": " + why, at.text(), Blame::operator_);
  };
  const int descriptor = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return failed("open a socket for");
  const int on = 1;
  if (address.family() == AF_UNIX) {
    // What a process before us left behind would be in the way; a file that is no socket stays.
    struct stat status{};
    if (::lstat(at.unix_path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) ::unlink(at.unix_path.c_str());
  } else {
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // accepted sockets inherit it
    if (address.family() == AF_INET6) setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (::bind(descriptor, address.get(), address.length) != 0 || ::listen(descriptor, backlog) != 0) {
    auto failure = failed("listen on");
    ::close(descriptor);
    return failure;
  }
  return descriptor;
}

uint16_t bound_port(int descriptor) {
  detail::SocketAddress address;
  address.length = sizeof address.storage;
  if (::getsockname(descriptor, address.get(), &address.length) != 0) return 0;
  return address.endpoint().port;
}

}  // namespace

struct Listener::State {
  Endpoint at;
  std::vector<std::shared_ptr<Acceptor>> acceptors;
  std::function<void(Connection)> take;
  std::atomic<bool> stopped = false;

  // Accepts what is there; true when descriptors ran out.
  bool accept_some(Acceptor& acceptor);
  static Task<void> accept_all(std::shared_ptr<State> state, std::shared_ptr<Acceptor> acceptor);
};

bool Listener::State::accept_some(Acceptor& acceptor) {
  for (int i = 0; i < kAcceptedAtOnce && acceptor.socket; ++i) {
    detail::SocketAddress peer;
    peer.length = sizeof peer.storage;
    const int descriptor =
        ::accept4(acceptor.socket->native_handle(), peer.get(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
      if (errno == ECONNABORTED || errno == EINTR) continue;
      return errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    }
    if (acceptor.family == AF_UNIX) peer.length = 0;  // a client's own path says nothing of who it is
    Endpoint remote = acceptor.family == AF_UNIX ? Endpoint{} : peer.endpoint();
    auto connection =
        std::make_shared<Connection::State>(acceptor.core, descriptor, acceptor.family, std::move(remote));
    if (connection->socket) take(Connection(std::move(connection)));
  }
  return false;
}

Task<void> Listener::State::accept_all(std::shared_ptr<State> state, std::shared_ptr<Acceptor> acceptor) {
  SteadyTime log_next{};
  acceptor->move_in();
  while (acceptor->socket) {
    co_await Readable{*acceptor};
    if (!acceptor->socket) break;
    bool exhausted = true;  // memory, when it throws
    guarded("listener", [&] { exhausted = state->accept_some(*acceptor); });
    if (!exhausted) continue;
    // The connection stays in the kernel's queue; asking again at once would only burn the core.
    if (const auto now = std::chrono::steady_clock::now(); now >= log_next) {
      log_next = now + kLogAgainAfter;
      log::warning("net.descriptors_exhausted", {{"listener", state->at.text()}});
    }
    co_await acceptor->core.sleep(kNoDescriptorsWait);
  }
}

Listener::Listener(std::shared_ptr<State> state) : state_(std::move(state)) {}
Listener::~Listener() { stop(); }

Result<std::unique_ptr<Listener>> Listener::bind(Cores& cores, const Endpoint& at, int backlog) {
  auto state = std::make_shared<State>();
  state->at = at;
  const bool local = !at.unix_path.empty();
  // A Unix socket cannot be shared by port: the first core accepts.
  const unsigned count = local ? 1 : cores.count();
  for (unsigned i = 0; i < count; ++i) {
    const auto descriptor = open_socket(state->at, backlog);
    if (!descriptor) return std::unexpected(descriptor.error());
    if (!local && state->at.port == 0) state->at.port = bound_port(*descriptor);
    const int family = local ? AF_UNIX : (at.ip.is_v4() ? AF_INET : AF_INET6);
    state->acceptors.push_back(std::make_shared<Acceptor>(cores.at(i), *descriptor, family));
  }
  return std::unique_ptr<Listener>(new Listener(std::move(state)));
}

void Listener::start(std::function<void(Connection)> take) {
  state_->take = std::move(take);
  for (const auto& acceptor : state_->acceptors) {
    acceptor->core.post([state = state_, acceptor] { spawn(State::accept_all(state, acceptor)); });
  }
}

void Listener::stop() {
  if (state_->stopped.exchange(true)) return;
  for (const auto& acceptor : state_->acceptors) {
    acceptor->core.post([acceptor] { acceptor->close(); });
  }
  if (!state_->at.unix_path.empty()) ::unlink(state_->at.unix_path.c_str());
}

Endpoint Listener::local() const { return state_->at; }

}  // namespace doorward::net
