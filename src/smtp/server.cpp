#include "smtp/server.h"

#include <cstring>

#include "base/log.h"
#include "smtp/server_state.h"
#include "smtp/session.h"

namespace doorward::smtp {

PeerCounts::Key PeerCounts::key_of(const mail::IpAddress& ip) {
  Key key = ip.bytes();
  constexpr size_t kNetworkOctets = 8;  // a customer of a provider has at least a /64
  if (!ip.is_v4()) std::fill(key.begin() + kNetworkOctets, key.end(), uint8_t{0});
  return key;
}

size_t PeerCounts::Hash::operator()(const Key& key) const {
  std::array<uint64_t, 2> halves{};
  std::memcpy(halves.data(), key.data(), key.size());
  constexpr uint64_t kGoldenRatio = 0x9E3779B97F4A7C15ULL;
  return (halves[0] ^ (halves[1] * kGoldenRatio)) * kGoldenRatio >> 7U;
}

bool PeerCounts::enter(const mail::IpAddress& ip, unsigned most) {
  const std::lock_guard lock(lock_);
  unsigned& count = counts_[key_of(ip)];
  if (count >= most) return false;
  ++count;
  return true;
}

void PeerCounts::leave(const mail::IpAddress& ip) {
  const std::lock_guard lock(lock_);
  const auto found = counts_.find(key_of(ip));
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

ServerMetrics::ServerMetrics()
    : connections(metrics::counter("doorward_smtp_connections_total", "Connections accepted.")),
      sessions(metrics::gauge("doorward_smtp_sessions", "Sessions at present.")),
      transactions(metrics::counter("doorward_smtp_transactions_total", "MAIL commands taken.")),
      messages(metrics::counter("doorward_smtp_messages_total", "Messages received whole.")),
      octets(metrics::counter("doorward_smtp_message_bytes_total", "Octets of the messages received whole.")),
      refused_connections(metrics::counter("doorward_smtp_refused_connections_total",
                                           "Connections over the limits or out of protocol.")),
      protocol_errors(
          metrics::counter("doorward_smtp_protocol_errors_total", "Commands and messages against the rules.")),
      tls_sessions(metrics::counter("doorward_smtp_tls_sessions_total", "TLS handshakes that succeeded.")),
      tls_failures(metrics::counter("doorward_smtp_tls_failures_total", "TLS handshakes that failed.")),
      replies{} {
  static constexpr std::array<const char*, 6> kClasses{"", "", "2xx", "3xx", "4xx", "5xx"};
  for (size_t i = 2; i < kClasses.size(); ++i) {
    replies.at(i) = &metrics::counter("doorward_smtp_replies_total", "Replies by class.", {{"class", kClasses.at(i)}});
  }
}

struct Server::State : ServerState {
  using ServerState::ServerState;
};

Server::Server(net::Cores& cores, const Clock& clock, ServerOptions options, HandlerFactory& factory)
    : state_(std::make_shared<State>(cores, clock, std::move(options), factory)) {}

Server::~Server() {
  state_->gone = true;
  for (auto& port : state_->ports) port.listener->stop();
  for (unsigned i = 0; i < state_->cores.count(); ++i) {
    state_->cores.at(i).post([state = state_, i] {
      for (Session* session : state->residents.at(i)) session->abandon();
    });
  }
}

Result<void> Server::listen(ListenerOptions options) {
  if (options.tls != TlsMode::none && !state_->tls.load()) {
    return fail("listener " + options.name + " wants TLS but there is no certificate");
  }
  auto bound = net::Listener::bind(state_->cores, options.address);
  if (!bound) return std::unexpected(bound.error());
  state_->ports.push_back({std::make_shared<const ListenerOptions>(std::move(options)), std::move(*bound)});
  return {};
}

void Server::start() {
  for (auto& port : state_->ports) {
    port.listener->start([state = std::weak_ptr(state_), options = port.options](net::Connection connection) {
      const auto held = state.lock();
      if (!held || held->gone || held->draining) return;
      spawn(Session::serve(held, options, std::move(connection)));
    });
  }
}

void Server::set_tls(std::shared_ptr<const net::TlsServerContext> context) { state_->tls.store(std::move(context)); }

void Server::drain() {
  if (state_->draining.exchange(true)) return;
  log::info("smtp.drain", {{"sessions", state_->sessions.load()}});
  for (auto& port : state_->ports) port.listener->stop();
  for (unsigned i = 0; i < state_->cores.count(); ++i) {
    state_->cores.at(i).post([state = state_, i] {
      for (Session* session : state->residents.at(i)) session->wake_for_drain();
    });
  }
}

size_t Server::sessions() const { return state_->sessions; }

std::vector<net::Endpoint> Server::addresses() const {
  std::vector<net::Endpoint> all;
  for (const auto& port : state_->ports) all.push_back(port.listener->local());
  return all;
}

}  // namespace doorward::smtp
