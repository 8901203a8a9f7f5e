#include "net/dns_udp.h"

#include <openssl/rand.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/guarded.h"
#include "base/log.h"
#include "net/detail/socket_address.h"
#include "net/dns_wire.h"

namespace doorward::net {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr size_t kSocketsPerServer = 4;        // their ports, with id and letter case, are what a forger must guess
constexpr size_t kMostServers = 31;            // of one question; the others are not tried
constexpr size_t kQuestionsPerSocket = 5'000;  // then it gives way to one with another port
constexpr int kReceiveBuffer = 1 << 20;        // octets
constexpr microseconds kUnknown{0};
constexpr microseconds kSlowest{5'000'000};

struct Server;

struct Socket {
  Server* server;
  int descriptor = -1;
  size_t asked = 0;
  std::unordered_map<uint16_t, struct Asked*> waiting{};

  Socket(Server* of, int opened) : server(of), descriptor(opened) {}
  ~Socket() { ::close(descriptor); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
};

struct Server {
  explicit Server(const Endpoint& at) : endpoint(at) {}
  Endpoint endpoint;
  microseconds usual = kUnknown;  // until an answer; a smoothed mean
  std::vector<std::unique_ptr<Socket>> sockets{};
  size_t next = 0;
};

struct Asked {
  std::string name;
  DnsType type;
  DnsUdp::Servers servers;
  DnsSource::Done done;
  SteadyTime began;
  unsigned tries = 0;
  uint32_t tried = 0;  // of the servers, in this round; a bit each
  DnsQuestion question{};
  Socket* socket = nullptr;  // on which an answer is awaited
  SteadyTime sent{};
  std::multimap<SteadyTime, Asked*>::iterator timer{};
  std::list<Asked>::iterator self{};
};

uint64_t random_bits() {
  uint64_t bits = 0;
  // What can be guessed can be answered by anybody (RFC 5452 §4.3): rather nothing is asked.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&bits), sizeof bits) != 1) {
    throw std::runtime_error("no random numbers can be had");
  }
  return bits;
}

}  // namespace

struct DnsUdp::State {
  explicit State(DnsUdpTiming given)
      : timing(given), poll(::epoll_create1(EPOLL_CLOEXEC)), wake(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, wake, &event);
    thread = std::thread([this] { run(); });
  }
  ~State() {
    {
      const std::lock_guard hold(lock);
      stopping = true;
    }
    rouse();
    thread.join();
    servers.clear();
    ::close(poll);
    ::close(wake);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void rouse() const {
    const uint64_t one = 1;
    (void)!::write(wake, &one, sizeof one);  // full: it is awake already
  }
  void run();
  bool take_new();
  int time_to_wait() const;
  void expire();
  Server& choose(Asked& asked);
  Socket* socket_of(Server& server);
  void attempt(Asked& asked);
  void attempt_or_end(Asked& asked);
  bool send(Asked& asked, Server& server);
  void await_answer(Asked& asked, const Server& server);
  void forget(Asked& asked);
  void end(Asked& asked, DnsAnswer answer);
  void receive(Socket& socket);
  void answered(Socket& socket, std::string_view message);
  void failed(Socket& socket);

  const DnsUdpTiming timing;
  const int poll, wake;
  std::mutex lock;
  std::list<Asked> fresh;  // under the lock
  bool stopping = false;
  // The thread's:
  std::list<Asked> asked;
  std::multimap<SteadyTime, Asked*> timers;
  std::map<Endpoint, Server> servers;
  std::vector<std::unique_ptr<Socket>> retired;  // until nothing that is under way speaks of them
  SteadyTime now{};
  std::thread thread;
};

void DnsUdp::State::run() {
  std::array<epoll_event, 64> ready{};
  for (;;) {
    const int count = ::epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), time_to_wait());
    now = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) {
      // Before what is new is taken: read afterwards, the call for what came in between would be swallowed.
      uint64_t woken = 0;
      if (ready[static_cast<size_t>(i)].data.ptr == nullptr) (void)!::read(wake, &woken, sizeof woken);
    }
    if (!take_new()) return;
    // Memory that runs out costs a question its answer (its deadline comes), not everybody theirs.
    for (int i = 0; i < count; ++i) {
      auto* const socket = static_cast<Socket*>(ready[static_cast<size_t>(i)].data.ptr);
      if (socket != nullptr) guarded("dns.udp", [&] { receive(*socket); });
    }
    guarded("dns.udp", [this] { expire(); });
    retired.clear();
  }
}

// False: it is to end.
bool DnsUdp::State::take_new() {
  std::list<Asked> some;
  {
    const std::lock_guard hold(lock);
    if (stopping) return false;
    if (fresh.empty()) return true;
    some.swap(fresh);
  }
  while (!some.empty()) {
    asked.splice(asked.begin(), some, some.begin());
    Asked& one = asked.front();
    one.self = asked.begin();
    one.timer = timers.end();
    attempt_or_end(one);
  }
  return true;
}

int DnsUdp::State::time_to_wait() const {
  if (timers.empty()) return -1;
  const auto left = timers.begin()->first - std::chrono::steady_clock::now();
  return static_cast<int>(std::clamp<int64_t>(std::chrono::ceil<milliseconds>(left).count(), 0, 60'000));
}

void DnsUdp::State::expire() {
  while (!timers.empty() && timers.begin()->first <= now) {
    Asked& late = *timers.begin()->second;
    Server& silent = *late.socket->server;
    // Others are asked first, until it answers again.
    silent.usual = std::clamp<microseconds>(silent.usual * 2, timing.least_wait, kSlowest);
    forget(late);
    attempt_or_end(late);
  }
}

// Of those that were not tried in this round the quickest. One of which nothing is known yet counts as quick, so that
// each is tried some time.
Server& DnsUdp::State::choose(Asked& one) {
  const size_t count = std::min<size_t>(one.servers->size(), kMostServers);
  if (one.tried == (uint64_t{1} << count) - 1) one.tried = 0;
  Server* best = nullptr;
  size_t place = 0;
  for (size_t i = 0; i < count; ++i) {
    if ((one.tried >> i & 1) != 0) continue;
    Server& server = servers.try_emplace((*one.servers)[i], (*one.servers)[i]).first->second;
    if (best != nullptr && server.usual >= best->usual) continue;
    best = &server;
    place = i;
  }
  one.tried |= uint32_t{1} << place;
  return *best;
}

Socket* DnsUdp::State::socket_of(Server& server) {
  if (server.sockets.size() < kSocketsPerServer) server.sockets.resize(kSocketsPerServer);
  auto& place = server.sockets[server.next++ % kSocketsPerServer];
  if (place && (place->asked < kQuestionsPerSocket || !place->waiting.empty())) return place.get();
  const auto address = detail::SocketAddress::of(server.endpoint);
  const int opened = ::socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (opened < 0) return nullptr;
  auto made = std::make_unique<Socket>(&server, opened);
  const int room = kReceiveBuffer;
  (void)::setsockopt(opened, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);  // many answers may come at once
  // Connected: the kernel lets only that server's datagrams in, and tells of a port that nobody listens on.
  if (::connect(opened, address.get(), address.length) != 0) return nullptr;
  epoll_event event{.events = EPOLLIN, .data = {.ptr = made.get()}};
  if (::epoll_ctl(poll, EPOLL_CTL_ADD, opened, &event) != 0) return nullptr;
  if (place) retired.push_back(std::move(place));
  place = std::move(made);
  return place.get();
}

// The next datagram of a question that waits for none.
void DnsUdp::State::attempt(Asked& one) {
  while (one.tries < timing.tries && now - one.began < timing.all && !one.servers->empty()) {
    Server& server = choose(one);
    ++one.tries;
    if (send(one, server)) return await_answer(one, server);
    server.usual = std::clamp<microseconds>(server.usual * 2, timing.least_wait, kSlowest);
  }
  end(one, dns_failure(DnsStatus::servfail));
}

// A question that memory ran out for would wait for ever.
void DnsUdp::State::attempt_or_end(Asked& one) {
  if (!guarded("dns.udp", [&] { attempt(one); })) end(one, dns_failure(DnsStatus::servfail));
}

bool DnsUdp::State::send(Asked& one, Server& server) {
  Socket* const socket = socket_of(server);
  if (socket == nullptr || socket->waiting.size() > UINT16_MAX / 2) return false;
  const uint64_t bits = random_bits();
  auto id = static_cast<uint16_t>(bits);
  while (socket->waiting.contains(id)) ++id;
  auto question = DnsQuestion::make(one.name, one.type, id, bits >> 16 | bits << 48);
  if (!question) return false;
  const std::string message = question->message();
  ++socket->asked;
  const ssize_t sent = ::send(socket->descriptor, message.data(), message.size(), MSG_NOSIGNAL);
  // A full buffer is a lost datagram like any other: the wait for its answer ends.
  if (sent < 0 && errno != EAGAIN && errno != ENOBUFS) return false;
  one.question = std::move(*question);
  one.socket = socket;
  one.sent = now;
  socket->waiting.emplace(id, &one);
  return true;
}

void DnsUdp::State::await_answer(Asked& one, const Server& server) {
  const auto usual = server.usual == kUnknown ? duration_cast<microseconds>(timing.first_wait) : server.usual * 3;
  auto wait = std::clamp<microseconds>(usual, timing.least_wait, timing.most_wait);
  wait *= 1U << std::min<size_t>((one.tries - 1) / one.servers->size(), 4);  // each round waits twice as long
  wait = std::min<microseconds>(wait, timing.most_wait);
  one.timer = timers.emplace(std::min(now + wait, one.began + timing.all), &one);
}

void DnsUdp::State::forget(Asked& one) {
  if (one.timer != timers.end()) timers.erase(std::exchange(one.timer, timers.end()));
  if (one.socket != nullptr) std::exchange(one.socket, nullptr)->waiting.erase(one.question.id);
}

void DnsUdp::State::end(Asked& one, DnsAnswer answer) {
  forget(one);
  auto done = std::move(one.done);
  asked.erase(one.self);
  done(std::move(answer));
}

void DnsUdp::State::receive(Socket& socket) {
  std::array<char, kMostDatagram> datagram{};
  for (unsigned i = 0; i < 64; ++i) {
    const ssize_t got = ::recv(socket.descriptor, datagram.data(), datagram.size(), MSG_DONTWAIT);
    if (got >= 0) {
      answered(socket, {datagram.data(), static_cast<size_t>(got)});
    } else {
      if (errno != EAGAIN && errno != EINTR) failed(socket);
      return;
    }
  }
}

void DnsUdp::State::answered(Socket& socket, std::string_view message) {
  if (message.size() < 2) return;
  const auto byte = [&](size_t at) { return static_cast<uint16_t>(static_cast<uint8_t>(message[at])); };
  const auto known = socket.waiting.find(static_cast<uint16_t>(byte(0) << 8 | byte(1)));
  if (known == socket.waiting.end()) return;  // late, or forged
  Asked& one = *known->second;
  auto reply = read_reply(one.question, message);
  if (!reply) return;
  const auto took = duration_cast<microseconds>(now - one.sent);
  auto& usual = socket.server->usual;
  usual = usual == kUnknown ? std::max(took, microseconds(1)) : (usual * 7 + took) / 8;
  forget(one);
  if (reply->answer.status == DnsStatus::servfail && one.tries < one.servers->size()) return attempt(one);
  end(one, std::move(reply->answer));
}

// The kernel heard that nobody is there.
void DnsUdp::State::failed(Socket& socket) {
  std::vector<Asked*> all;
  all.reserve(socket.waiting.size());
  for (const auto& [id, one] : socket.waiting) all.push_back(one);
  socket.server->usual = std::clamp<microseconds>(socket.server->usual * 2, timing.least_wait, kSlowest);
  for (Asked* one : all) {
    forget(*one);
    attempt(*one);
  }
}

DnsUdp::DnsUdp(DnsUdpTiming timing) : state_(std::make_unique<State>(timing)) {}
DnsUdp::~DnsUdp() = default;

void DnsUdp::ask(std::string name, DnsType type, Servers servers, DnsSource::Done done) {
  bool first = false;
  {
    const std::lock_guard hold(state_->lock);
    first = state_->fresh.empty();
    state_->fresh.push_back(
        {std::move(name), type, std::move(servers), std::move(done), std::chrono::steady_clock::now()});
  }
  if (first) state_->rouse();
}

}  // namespace doorward::net
