#include "smtp/session.h"

#include <algorithm>

#include "base/guarded.h"
#include "base/id.h"
#include "base/log.h"
#include "smtp/session_content.h"

namespace doorward::smtp {

namespace {

bool any_contains(const std::vector<mail::Network>& networks, const mail::IpAddress& ip) {
  return std::any_of(networks.begin(), networks.end(), [&](const mail::Network& one) { return one.contains(ip); });
}

}  // namespace

Session::Session(std::shared_ptr<ServerState> server, Port port, net::Connection connection)
    : server_held_(std::move(server)),
      server_(*server_held_),
      port_(std::move(port)),
      connection_(std::move(connection)),
      began_(server_.clock.steady()) {
  ++server_.sessions;
  server_.metrics.sessions.add(1);
  server_.metrics.connections.add();
  server_.residents.at(connection_.core().index()).insert(this);
  client_.session_id = new_id(server_.clock.now());
  client_.listener = port_->name;
  client_.ip = connection_.remote().ip;
  client_.port = connection_.remote().port;
}

Session::~Session() {
  server_.residents.at(connection_.core().index()).erase(this);
  if (counted_peer_) server_.peers.leave(counted_ip_);
  --server_.sessions;
  server_.metrics.sessions.add(-1);
}

Task<void> Session::serve(std::shared_ptr<ServerState> server, Port port, net::Connection connection) {
  try {
    const std::unique_ptr<Session> session(new Session(std::move(server), std::move(port), std::move(connection)));
    co_await session->run();
  } catch (const std::exception& failure) {
    report_exception("smtp.session", failure);
  }
}

Task<void> Session::run() {
  std::string failure;
  bool failed = false;
  try {
    if (co_await open()) {
      while (co_await step()) {
      }
    }
  } catch (const std::exception& thrown) {
    failed = true;
    failure = thrown.what();
  }
  if (failed) {
    log::error("smtp.exception", {{"session", client_.session_id}, {"what", failure}});
    end_reason_ = "exception";
    co_await end_with(Reply(421, {4, 3, 0}, server_.options.host_name + " internal failure, please try again later"));
  }
  co_await end();
}

Task<bool> Session::open() {
  if (any_contains(port_->proxy_protocol_from, client_.ip) && !co_await read_proxy_header()) {
    server_.metrics.refused_connections.add();
    end_reason_ = "no proxy header";
    co_return false;
  }
  trusted_for_xclient_ = any_contains(port_->xclient_from, client_.ip);
  const bool implicit = port_->tls == TlsMode::implicit;
  if (!admitted()) {
    server_.metrics.refused_connections.add();
    end_reason_ = "too many connections";
    // Before an implicit handshake a reply in clear would only be noise.
    if (implicit) co_return false;
    co_return co_await end_with(
        Reply(421, {4, 7, 0}, server_.options.host_name + " too many connections, please try again later"));
  }
  if (implicit && !co_await handshake(true)) co_return false;
  co_return co_await greet();
}

bool Session::admitted() {
  // A proxy is not counted for all its clients: they are, once it has named them.
  return server_.sessions <= server_.options.limits.connections && count_peer() &&
         (trusted_for_xclient_ || comes_seldom_enough());
}

Task<bool> Session::greet() {
  bool early = !input_.empty();
  if (const auto delay = server_.options.timeouts.banner_delay; delay.count() > 0 && !early) {
    connection_.set_timeout(delay);
    const auto readable = co_await connection_.wait_readable();
    early = readable.has_value();
    if (!readable && readable.error().kind != net::IoError::timed_out) {
      end_reason_ = "closed before the banner";
      co_return false;
    }
  }
  Reply reply(220, {}, "");
  if (!early) {
    handler_ = server_.factory.open(connection_.core());
    reply = co_await handler_->connected(client_);
    early = connection_.input_pending();
  }
  if (early) {
    server_.metrics.refused_connections.add();
    end_reason_ = "early talker";
    co_return co_await end_with(Reply(554, {5, 5, 1}, "protocol error: you spoke before the greeting"));
  }
  if (reply.code != 220) {
    end_reason_ = "refused";
    co_return co_await end_with(std::move(reply));
  }
  greeted_ = true;
  const std::string text = reply.lines.empty() ? "" : reply.lines.front();
  // RFC 2034 §4: no enhanced code here, since the client does not know yet that there are any.
  Reply banner(220, server_.options.host_name + (port_->lmtp ? " LMTP" : " ESMTP"));
  if (!text.empty()) banner.lines.front() += " " + text;
  answer(banner);
  co_return true;
}

Task<bool> Session::step() {
  switch (mode_) {
    case Mode::data:
      co_return co_await receive_data();
    case Mode::chunk:
      co_return co_await receive_chunk();
    case Mode::tls_handshake:
      mode_ = Mode::command;
      co_return co_await flush() && co_await handshake(false);
    case Mode::command:
      break;
  }
  if (server_.draining && !transaction_) {
    end_reason_ = "drained";
    co_return co_await end_with(
        Reply(421, {4, 3, 2}, server_.options.host_name + " going down, please try again later"));
  }
  const std::optional<std::string_view> line = co_await read_command();
  if (!line) co_return false;
  const Reply reply = co_await command(*line);
  if (reply.code != 0) answer(reply);  // BDAT is answered when its octets are read
  if (closing_) co_return co_await flush() && false;
  if (errors_ >= server_.options.limits.command_errors) {
    end_reason_ = "too many errors";
    co_return co_await end_with(Reply(421, {4, 7, 0}, server_.options.host_name + " too many errors"));
  }
  co_return true;
}

Task<void> Session::end() {
  if (handler_) {
    try {
      if (transaction_) co_await handler_->reset();
      co_await handler_->closed();
    } catch (const std::exception& thrown) {
      log::error("smtp.exception", {{"session", client_.session_id}, {"what", thrown.what()}});
    }
  }
  co_await linger();
  connection_.close();
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(server_.clock.steady() - began_).count();
  log::info("smtp.session", {{"session", client_.session_id},
                             {"listener", client_.listener},
                             {"ip", client_.ip.text()},
                             {"helo", client_.helo},
                             {"tls", client_.tls_version},
                             {"transactions", transactions_},
                             {"messages", messages_},
                             {"errors", errors_},
                             {"end", end_reason_},
                             {"ms", milliseconds}});
}

void Session::start_transaction(MailCommand command) {
  envelope_ = {};
  envelope_.received_at = server_.clock.now();
  envelope_.id = new_id(envelope_.received_at);
  envelope_.from = std::move(command.path);
  envelope_.body = command.body;
  envelope_.smtputf8 = command.smtputf8;
  envelope_.require_tls = command.require_tls;
  envelope_.declared_size = command.size;
  envelope_.ret = command.ret;
  envelope_.envid = std::move(command.envid);
  envelope_.prdr = command.prdr;
}

Task<void> Session::end_transaction() {
  if (!transaction_) co_return;
  forget_transaction();
  co_await handler_->reset();
}

void Session::forget_transaction() {
  transaction_ = false;
  incoming_.reset();
  chunk_refusal_.reset();
  envelope_.recipients.clear();
  idle_commands_ = 0;
}

void Session::wake_for_drain() {
  if (waiting_idle_ && wants_to_drain()) connection_.set_timeout(std::chrono::milliseconds(0));
}

}  // namespace doorward::smtp
