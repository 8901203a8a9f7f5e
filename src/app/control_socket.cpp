#include "app/control_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace doorward::app {
namespace {

using std::chrono::milliseconds;
using Moment = std::chrono::steady_clock::time_point;

constexpr int kBacklog = 16;

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(fmt::format("the path is too long for a socket: {} octets are the most", sizeof address.sun_path - 1),
                path);
  }
  std::ranges::copy(path, address.sun_path);
  return address;
}

const sockaddr* as_sockaddr(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

bool wait_for(int descriptor, short event, milliseconds longest) {
  pollfd waiting{.fd = descriptor, .events = event, .revents = 0};
  const auto time = static_cast<int>(std::clamp<int64_t>(longest.count(), 0, 3'600'000));
  return ::poll(&waiting, 1, time) > 0;
}

milliseconds until(Moment end) { return std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now()); }

int open_socket() { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

std::unexpected<Error> failed(const char* what, const std::string& path) {
  return fail(fmt::format("{}: {}", what, std::strerror(errno)), path);
}

}  // namespace

LocalSocket::~LocalSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}
LocalSocket::LocalSocket(LocalSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), read_(std::move(other.read_)) {}
LocalSocket& LocalSocket::operator=(LocalSocket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(read_, other.read_);
  return *this;
}

Result<std::optional<LocalSocket>> LocalSocket::connect(const std::string& path) {
  auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  LocalSocket socket(open_socket());
  if (socket.descriptor_ < 0) return failed("no socket can be made", path);
  if (::connect(socket.descriptor_, as_sockaddr(*address), sizeof *address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return std::nullopt;
    if (errno == EACCES) return fail("only root and the gateway's own account may steer it", path);
    return failed("the gateway does not answer", path);
  }
  return socket;
}

Result<LocalSocket> LocalSocket::listen(const std::string& path) {
  auto there = connect(path);
  if (!there) return std::unexpected(there.error());
  if (*there) return fail("another gateway listens there", path);
  auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  struct stat found{};
  if (::lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode)) return fail("a file is in the place of the socket", path);
    ::unlink(path.c_str());
  }
  LocalSocket socket(open_socket());
  if (socket.descriptor_ < 0) return failed("no socket can be made", path);
  // Before it has a name: nobody may come in between.
  if (::fchmod(socket.descriptor_, S_IRUSR | S_IWUSR) != 0 ||
      ::bind(socket.descriptor_, as_sockaddr(*address), sizeof *address) != 0 ||
      ::listen(socket.descriptor_, kBacklog) != 0) {
    return failed("the control socket cannot be made", path);
  }
  return socket;
}

std::optional<LocalSocket> LocalSocket::accept(milliseconds longest) const {
  if (!wait_for(descriptor_, POLLIN, longest)) return {};
  const int taken = ::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (taken < 0) return {};
  return LocalSocket(taken);
}

bool LocalSocket::is_from_root_or_us() const {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(descriptor_, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == ::geteuid();
}

Result<std::optional<std::string>> LocalSocket::read_line(size_t most, milliseconds longest) {
  const Moment end = std::chrono::steady_clock::now() + longest;
  size_t looked_at = 0;
  for (;;) {
    if (const size_t at = read_.find('\n', looked_at); at != std::string::npos) {
      if (at > most) return fail("the line is too long", {}, Blame::peer);
      std::string line = read_.substr(0, at);
      read_.erase(0, at + 1);
      return line;
    }
    looked_at = read_.size();
    if (read_.size() > most) return fail("the line is too long", {}, Blame::peer);
    std::array<char, 16384> taken;
    if (!wait_for(descriptor_, POLLIN, until(end))) return fail("no answer in time", {}, Blame::peer);
    const ssize_t got = ::recv(descriptor_, taken.data(), taken.size(), 0);
    if (got == 0) return std::nullopt;
    if (got < 0 && errno != EAGAIN && errno != EINTR) return failed("the connection failed", {});
    if (got > 0) read_.append(taken.data(), static_cast<size_t>(got));
  }
}

bool LocalSocket::write(std::string_view text, milliseconds longest) const {
  const Moment end = std::chrono::steady_clock::now() + longest;
  while (!text.empty()) {
    const ssize_t sent = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      text.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (!wait_for(descriptor_, POLLOUT, until(end))) return false;
  }
  return true;
}

}  // namespace doorward::app
