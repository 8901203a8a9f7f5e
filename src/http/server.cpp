#include "http/server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <utility>

#include "base/guarded.h"
#include "base/log.h"
#include "http/request_reader.h"
#include "http/router.h"
#include "net/listener.h"
#include "net/tls.h"

namespace doorward::http {
namespace {

constexpr size_t kReadSize = 8 << 10;

int64_t seconds_now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()).time_since_epoch().count();
}

Response plain(int status) { return {status, std::string(reason(status)) + "\n"}; }

}  // namespace

struct Server::State {
  State(net::Cores& c, Limits l) : cores(c), limits(l), open(c.count()) {}

  net::Cores& cores;
  Limits limits;
  Router router;
  std::atomic<unsigned> count{0};
  std::atomic<bool> stopping{false};
  std::vector<std::vector<net::Connection*>> open;  // by core; touched on that core only
  std::atomic<std::shared_ptr<const net::TlsServerContext>> tls{};
  std::mutex lock;
  std::map<mail::IpAddress, unsigned> by_address;  // under the lock

  // Counts the connection and lets stop() find it, as long as its session runs.
  class Membership {
   public:
    Membership(State& state, net::Connection& connection)
        : state_(state), connection_(&connection), core_(connection.core().index()), ip_(connection.remote().ip) {
      state_.count.fetch_add(1);
      state_.open[core_].push_back(connection_);
      const std::lock_guard guard(state_.lock);
      is_crowd_ = ++state_.by_address[ip_] > state_.limits.connections_per_address;
    }
    ~Membership() {
      std::erase(state_.open[core_], connection_);
      state_.count.fetch_sub(1);
      const std::lock_guard guard(state_.lock);
      if (const auto at = state_.by_address.find(ip_); --at->second == 0) state_.by_address.erase(at);
    }
    bool is_crowd() const { return is_crowd_; }  // more from its address than may be
    Membership(const Membership&) = delete;
    Membership& operator=(const Membership&) = delete;

   private:
    State& state_;
    net::Connection* connection_;
    unsigned core_;
    mail::IpAddress ip_;
    bool is_crowd_ = false;
  };

  void close_all(unsigned core) {
    const std::vector<net::Connection*> present = open[core];
    for (net::Connection* connection : present) {
      if (std::ranges::find(open[core], connection) != open[core].end()) connection->close();
    }
  }

  Task<Response> answer(Request request) const;
};

namespace {

// One connection's requests, one after the other. Coroutines belong to the session object, which lives in serve()'s
// frame.
class Session {
 public:
  Session(net::Connection& connection, const Limits& limits)
      : connection_(connection), limits_(limits), reader_(limits.header, limits.body) {}

  enum class Input : uint8_t { request, refused, ended };

  // Waits for a whole request; refused: it was answered already, and the connection is of no more use.
  Task<Input> next() {
    auto status = reader_.feed({});
    if (status == RequestReader::Status::need_more && reader_.idle()) {
      connection_.set_timeout(limits_.idle);
      if (!co_await connection_.wait_readable()) co_return Input::ended;
    }
    connection_.set_timeout(limits_.request);  // for all of it, however it trickles
    std::array<char, kReadSize> buffer;
    while (status == RequestReader::Status::need_more) {
      // Its head may have come with the request before it.
      if (reader_.wants_continue()) {
        if (!co_await connection_.write("HTTP/1.1 100 Continue\r\n\r\n")) co_return Input::ended;
      }
      const auto size = co_await connection_.read_some(buffer);
      if (!size) {
        if (size.error().kind != net::IoError::timed_out || reader_.idle()) co_return Input::ended;
        co_await refuse(408);
        co_return Input::refused;
      }
      status = reader_.feed({buffer.data(), *size});
    }
    if (status == RequestReader::Status::done) co_return Input::request;
    co_await refuse(reader_.failure());
    co_return Input::refused;
  }

  Request take() {
    Request request = reader_.take();
    request.peer = connection_.remote();
    return request;
  }
  bool keep_alive() const { return reader_.keep_alive(); }

  // False when the peer did not take it.
  Task<bool> send(const Response& response, bool with_body, bool keep_alive) {
    connection_.set_timeout(limits_.response);
    const std::string head = response.head(keep_alive, seconds_now());
    std::vector<std::string_view> pieces{head};
    if (with_body) pieces.emplace_back(response.body);
    const auto written = co_await connection_.write(std::move(pieces));
    co_return written.has_value();
  }

  // Says why, then lets the peer read it: closing with unread input would reset the connection under the answer.
  Task<void> refuse(int status) {
    const Response response = plain(status);
    if (!co_await send(response, true, false)) co_return;
    connection_.shut_write();
    connection_.set_timeout(std::chrono::seconds(1));
    std::array<char, kReadSize> buffer;
    for (size_t read = 0; read < (256U << 10);) {
      const auto size = co_await connection_.read_some(buffer);
      if (!size) break;
      read += *size;
    }
  }

 private:
  net::Connection& connection_;
  const Limits& limits_;
  RequestReader reader_;
};

}  // namespace

Task<Response> Server::State::answer(Request request) const {
  const Router::Found found = router.find(request.method, request.path);
  if (found.route == nullptr) {
    Response response = plain(found.allowed.empty() ? 404 : 405);
    if (!found.allowed.empty()) response.headers.push_back({"Allow", found.allowed});
    co_return response;
  }
  const std::string path = request.path;
  std::string failure;
  try {
    Task<Response> task = (*found.route)(std::move(request));
    co_return co_await std::move(task);
  } catch (const std::exception& error) {
    failure = error.what();
  }
  log::error("http.route_failed", {{"path", path}, {"error", failure}});
  co_return plain(500);
}

namespace {

template <class State>
Task<void> serve(std::shared_ptr<State> state, net::Connection connection) {
  const typename State::Membership membership(*state, connection);
  const bool crowded = state->count.load() > state->limits.connections || membership.is_crowd();
  if (const auto tls = state->tls.load()) {
    if (crowded) co_return;  // a handshake is what costs
    connection.set_timeout(state->limits.request);
    if (!co_await connection.start_tls(*tls)) co_return;
  }
  Session session(connection, state->limits);
  if (crowded) {
    co_await session.refuse(503);
    co_return;
  }
  while (!state->stopping.load()) {
    const auto input = co_await session.next();
    if (input != Session::Input::request) break;
    Request request = session.take();
    const bool with_body = request.method != "HEAD";
    const Response response = co_await state->answer(std::move(request));
    // Whoever is not known does not keep a place.
    const bool keep_alive = session.keep_alive() && !state->stopping.load() && response.status != 401;
    const bool sent = co_await session.send(response, with_body, keep_alive);
    if (!sent || !keep_alive) break;
  }
  connection.close();
}

}  // namespace

Server::Server(net::Cores& cores, Limits limits) : state_(std::make_shared<State>(cores, limits)) {}

Server::~Server() { stop(); }

void Server::route(std::string method, std::string path, Route route) {
  state_->router.add(std::move(method), std::move(path), std::move(route));
}

Result<void> Server::bind(const net::Endpoint& at) {
  auto listener = net::Listener::bind(state_->cores, at);
  if (!listener) return std::unexpected(std::move(listener.error()));
  listeners_.push_back(std::move(*listener));
  return {};
}

void Server::set_tls(std::shared_ptr<const net::TlsServerContext> tls) { state_->tls = std::move(tls); }

void Server::start() {
  for (const auto& listener : listeners_) {
    listener->start([state = state_](net::Connection connection) {
      spawn(guarded_task("http", serve(state, std::move(connection))));
    });
  }
}

void Server::stop() {
  if (state_->stopping.exchange(true)) return;
  for (const auto& listener : listeners_) listener->stop();
  for (unsigned i = 0; i < state_->cores.count(); ++i) {
    state_->cores.at(i).post([state = state_, i] { state->close_all(i); });
  }
}

std::vector<net::Endpoint> Server::addresses() const {
  std::vector<net::Endpoint> result;
  result.reserve(listeners_.size());
  for (const auto& listener : listeners_) result.push_back(listener->local());
  return result;
}

unsigned Server::connections() const { return state_->count.load(); }

}  // namespace doorward::http
