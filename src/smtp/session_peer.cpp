// Who the client is: what a balancer's PROXY header or a trusted proxy's XCLIENT says, and TLS.
#include "base/log.h"
#include "net/proxy_protocol.h"
#include "smtp/session.h"

namespace doorward::smtp {

void Session::become(const mail::IpAddress& ip, uint16_t port) {
  client_.ip = ip;
  client_.port = port;
  client_.reverse_name.clear();
}

bool Session::count_peer() {
  if (counted_peer_) server_.peers.leave(counted_ip_);
  counted_ip_ = client_.ip;
  // Whoever is not known (a Unix socket's peer, XCLIENT's [UNAVAILABLE]) does not share a count with all the others of
  // whom that is true.
  counted_peer_ =
      !counted_ip_.is_unspecified() && server_.peers.enter(counted_ip_, server_.options.limits.connections_per_ip);
  return counted_peer_ || counted_ip_.is_unspecified();
}

// Whether the client, as it is known now, may open one more connection this minute.
bool Session::comes_seldom_enough() {
  const auto& limits = server_.options.limits;
  const SteadyTime now = server_.clock.steady();
  const bool v4 = client_.ip.is_v4();
  return server_.connection_rates.count(client_.ip, v4 ? 128 : 64, limits.connections_a_minute, now) &&
         server_.connection_rates.count(client_.ip, v4 ? 96 + 24 : 48, limits.network_connections_a_minute, now);
}

Task<bool> Session::read_proxy_header() {
  const SteadyTime until = std::chrono::steady_clock::now() + server_.options.timeouts.proxy_header;
  for (;;) {
    const net::ProxyParse parsed = net::parse_proxy_header(input_.bytes());
    switch (parsed.state) {
      case net::ProxyParse::State::invalid:
        log::warning("smtp.bad_proxy_header", {{"peer", client_.ip.text()}, {"listener", port_->name}});
        co_return false;
      case net::ProxyParse::State::complete:
        input_.consume(parsed.used);
        if (!parsed.header.has_addresses) co_return true;
        connection_.set_remote(parsed.header.source);
        become(parsed.header.source.ip, parsed.header.source.port);
        co_return true;
      case net::ProxyParse::State::incomplete:
        // Not an octet more than belongs to it: a TLS handshake may follow at once.
        if (!co_await read_exactly(parsed.missing, until)) co_return false;
    }
  }
}

Task<bool> Session::handshake(bool implicit) {
  const auto context = server_.tls.load();
  if (!context) {  // a reload took the certificates away
    end_reason_ = "no certificate";
    log::error("smtp.no_certificate", {{"session", client_.session_id}, {"listener", port_->name}});
    connection_.close();
    co_return false;
  }
  connection_.set_timeout(server_.options.timeouts.tls_handshake);
  const auto info = co_await connection_.start_tls(*context);
  if (!info) {
    server_.metrics.tls_failures.add();
    end_reason_ = "TLS handshake failed";
    log::info("smtp.tls_failed",
              {{"session", client_.session_id}, {"ip", client_.ip.text()}, {"why", info.error().detail}});
    connection_.close();
    co_return false;
  }
  server_.metrics.tls_sessions.add();
  client_.tls = true;
  client_.tls_version = info->version;
  client_.tls_cipher = info->cipher;
  if (!implicit) {
    // RFC 3207 §4.2: what was learnt before the handshake is forgotten.
    co_await end_transaction();
    said_hello_ = false;
    client_.helo.clear();
    client_.esmtp = false;
  }
  co_return true;
}

Task<Reply> Session::verb_xclient(std::string_view argument) {
  if (!trusted_for_xclient_) co_return protocol_error(Reply(550, {5, 7, 0}, "not for you"));
  auto command = parse_xclient(argument);
  if (!command) co_return protocol_error(std::move(command.error()));
  if (command->address) {
    become(*command->address, command->port.value_or(0));
    if (!count_peer() || !comes_seldom_enough()) {
      Reply refusal(421, {4, 7, 0}, server_.options.host_name + " too many connections, please try again later");
      refusal.close = true;
      co_return refusal;
    }
  } else if (command->port) {
    client_.port = *command->port;
  }
  if (command->name) client_.reverse_name = *command->name;
  // A new session begins, for the client named: its handler is a new one too.
  co_await handler_->closed();
  handler_.reset();
  said_hello_ = false;
  client_.helo = command->helo.value_or("");
  client_.esmtp = command->esmtp.value_or(false);
  handler_ = server_.factory.open(connection_.core());
  Reply reply = co_await handler_->connected(client_);
  if (reply.code != 220) {
    reply.close = true;
    co_return reply;
  }
  co_return Reply(220, server_.options.host_name + (port_->lmtp ? " LMTP" : " ESMTP"));
}

}  // namespace doorward::smtp
