// What the sessions of a server share: options, limits, counters. For this room's server sources only.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/metrics.h"
#include "smtp/peer_rates.h"
#include "smtp/server.h"

namespace doorward::smtp {

class Session;

// Connections by network: an IPv4 address, or the /64 of an IPv6 one.
class PeerCounts {
 public:
  // False when there are `most` already.
  bool enter(const mail::IpAddress& ip, unsigned most);
  void leave(const mail::IpAddress& ip);

 private:
  using Key = std::array<uint8_t, 16>;
  struct Hash {
    size_t operator()(const Key& key) const;
  };
  static Key key_of(const mail::IpAddress& ip);

  std::mutex lock_;
  std::unordered_map<Key, unsigned, Hash> counts_;
};

struct ServerMetrics {
  ServerMetrics();
  metrics::Counter& connections;
  metrics::Gauge& sessions;
  metrics::Counter& transactions;
  metrics::Counter& messages;
  metrics::Counter& octets;
  metrics::Counter& refused_connections;
  metrics::Counter& protocol_errors;
  metrics::Counter& tls_sessions;
  metrics::Counter& tls_failures;
  std::array<metrics::Counter*, 6> replies;  // by the first digit
};

struct ServerState : std::enable_shared_from_this<ServerState> {
  ServerState(net::Cores& on, const Clock& time, ServerOptions given, HandlerFactory& makes)
      : cores(on), clock(time), options(std::move(given)), factory(makes), residents(on.count()) {}

  net::Cores& cores;
  const Clock& clock;
  const ServerOptions options;
  HandlerFactory& factory;
  ServerMetrics metrics;

  std::atomic<std::shared_ptr<const net::TlsServerContext>> tls;
  std::atomic<size_t> sessions = 0;
  std::atomic<size_t> content_octets = 0;  // in memory, of all messages at hand
  std::atomic<bool> draining = false;
  std::atomic<bool> gone = false;  // the Server is: no new sessions
  PeerCounts peers;
  PeerRates connection_rates, mail_rates;
  std::vector<std::unordered_set<Session*>> residents;  // by core; only touched on it

  struct Port {
    std::shared_ptr<const ListenerOptions> options;
    std::unique_ptr<net::Listener> listener;
  };
  std::vector<Port> ports;
};

}  // namespace doorward::smtp
