// The verbs: one table row each. A row says what must have come before; the dispatcher checks it, calls the verb, which
// asks the handler and returns the reply.
#include <array>

#include "smtp/session.h"
#include "smtp/session_content.h"

namespace doorward::smtp {

namespace {

// What a verb asks of the session.
enum Needs : uint8_t {
  kNothing = 0,
  kHello = 1U << 0U,        // EHLO, HELO or LHLO
  kTransaction = 1U << 1U,  // MAIL
  kNoTransaction = 1U << 2U,
  kNoChunks = 1U << 3U,  // no BDAT yet in this transaction
  kTlsIfRequired = 1U << 4U,
  kEsmtpOnly = 1U << 5U,
  kAwaited = 1U << 6U,  // the client must wait for the reply: nothing may stand behind it (RFC 2920 §3.1)
};

constexpr unsigned kFreeRefusals = 10;  // recipients refused, beside as many as were taken, before they count as errors
constexpr unsigned kFruitless = 100;    // commands since the last mail, beside two a recipient, before each is an error
constexpr unsigned kIdleCommands = 100;  // NOOP, RSET, VRFY … without a mail, before they count as errors

// Web browsers and proxies that were led here (cross-protocol requests).
bool is_http(std::string_view line) {
  for (std::string_view method : {"GET ", "POST ", "PUT ", "HEAD ", "CONNECT ", "OPTIONS ", "DELETE ", "PATCH "}) {
    if (line.starts_with(method)) return true;
  }
  return false;
}

std::string_view first_word(std::string_view line) { return line.substr(0, std::min(line.find(' '), line.size())); }

}  // namespace

struct Session::Row {
  Verb verb;
  unsigned needs;
  Task<Reply> (Session::*proceed)(std::string_view argument);
};

const Session::Row& Session::row_of(Verb verb) {
  static constexpr std::array<Row, 17> kTable{{
      {Verb::ehlo, kAwaited, &Session::verb_ehlo},
      {Verb::helo, kAwaited, &Session::verb_helo},
      {Verb::lhlo, kAwaited, &Session::verb_lhlo},
      {Verb::mail, kTlsIfRequired | kHello | kNoTransaction, &Session::verb_mail},
      {Verb::rcpt, kTlsIfRequired | kHello | kTransaction | kNoChunks, &Session::verb_rcpt},
      {Verb::data, kTlsIfRequired | kHello | kTransaction | kNoChunks | kAwaited, &Session::verb_data},
      {Verb::bdat, kNothing, &Session::verb_bdat},  // checks itself: its octets must be read in any case
      {Verb::rset, kNothing, &Session::verb_rset},
      {Verb::noop, kNothing, &Session::verb_noop},
      {Verb::quit, kNothing, &Session::verb_quit},
      {Verb::vrfy, kTlsIfRequired, &Session::verb_vrfy},
      {Verb::expn, kTlsIfRequired, &Session::verb_expn},
      {Verb::help, kNothing, &Session::verb_help},
      {Verb::starttls, kEsmtpOnly | kAwaited, &Session::verb_starttls},
      {Verb::auth, kTlsIfRequired, &Session::verb_auth},
      {Verb::xclient, kNoTransaction | kAwaited, &Session::verb_xclient},
      {Verb::unknown, kNothing, &Session::verb_unknown},
  }};
  static_assert([] {
    for (size_t i = 0; i < kTable.size(); ++i) {
      if (static_cast<size_t>(kTable[i].verb) != i) return false;
    }
    return true;
  }());
  return kTable.at(static_cast<size_t>(verb));
}

Task<Reply> Session::command(std::string_view line) {
  const CommandLine parsed = split_command(line);
  const Row& row = row_of(parsed.verb);
  if ((row.needs & kAwaited) != 0 && !input_.empty()) {
    server_.metrics.protocol_errors.add();
    end_reason_ = "input before a reply";
    // Going on would mean to take what was sent blindly, perhaps by another, for commands or text (RFC 3207 §6).
    Reply refusal(554, {5, 5, 1}, "protocol error: you did not wait for the reply to " + std::string(first_word(line)));
    refusal.close = true;
    co_return refusal;
  }
  if (parsed.verb == Verb::unknown && is_http(line)) {
    end_reason_ = "not SMTP";
    Reply refusal(554, {5, 5, 1}, "this is no web server");
    refusal.close = true;
    co_return refusal;
  }
  if (++fruitless_commands_ > kFruitless + 2 * server_.options.limits.recipients) ++errors_;
  if (auto refusal = out_of_sequence(row)) co_return protocol_error(std::move(*refusal));
  co_return co_await (this->*row.proceed)(parsed.argument);
}

std::optional<Reply> Session::out_of_sequence(const Row& row) const {
  const auto needs = [&](unsigned what) { return (row.needs & what) != 0; };
  if (needs(kTlsIfRequired) && port_->tls == TlsMode::required && !client_.tls) {
    return Reply(530, {5, 7, 0}, "must issue a STARTTLS command first");
  }
  if (needs(kHello) && !said_hello_) return Reply(503, {5, 5, 1}, port_->lmtp ? "send LHLO first" : "send EHLO first");
  if (needs(kEsmtpOnly) && !client_.esmtp) return Reply(503, {5, 5, 1}, "send EHLO first");
  if (needs(kTransaction) && !transaction_) return Reply(503, {5, 5, 1}, "send MAIL first");
  if (needs(kNoTransaction) && transaction_) return Reply(503, {5, 5, 1}, "a transaction is open already");
  if (needs(kNoChunks) && incoming_) return Reply(503, {5, 5, 1}, "BDAT has begun; only BDAT may follow");
  return std::nullopt;
}

Reply Session::protocol_error(Reply reply) {
  server_.metrics.protocol_errors.add();
  ++errors_;
  constexpr unsigned kFree = 2;
  constexpr unsigned kLongest = 10;
  if (errors_ > kFree) delay_ = server_.options.timeouts.error_delay * std::min(errors_ - kFree, kLongest);
  return reply;
}

Offered Session::offered() const {
  const ServerOptions& options = server_.options;
  Offered all;
  all.smtputf8 = options.offer_smtputf8 && client_.esmtp;
  all.dsn = options.offer_dsn && client_.esmtp;
  all.requiretls = options.offer_requiretls && client_.esmtp && client_.tls;
  all.size = all.eight_bit_mime = client_.esmtp;
  all.prdr = options.offer_prdr && client_.esmtp && !port_->lmtp;
  all.chunking = options.offer_chunking && client_.esmtp;
  all.size_limit = options.limits.message_size;
  return all;
}

Task<Reply> Session::hello(std::string_view argument, Verb verb) {
  if (port_->lmtp != (verb == Verb::lhlo)) {
    co_return protocol_error(
        Reply(500, {5, 5, 1}, port_->lmtp ? "this is LMTP: send LHLO" : "this is SMTP: send EHLO"));
  }
  auto name = parse_hello(argument, verb != Verb::helo);
  if (!name) co_return protocol_error(std::move(name.error()));
  co_await end_transaction();
  said_hello_ = false;
  client_.helo = std::move(*name);
  client_.esmtp = verb != Verb::helo;
  Reply taken = co_await handler_->hello(client_);
  if (taken.code != 250) co_return taken;
  said_hello_ = true;
  if (!client_.esmtp) co_return Reply(250, server_.options.host_name);
  co_return hello_reply(taken);
}

Reply Session::hello_reply(const Reply& taken) const {
  const ServerOptions& options = server_.options;
  Reply reply(250, options.host_name);
  if (!taken.lines.empty() && !taken.lines.front().empty()) reply.lines.front() += " " + taken.lines.front();
  auto& lines = reply.lines;
  lines.reserve(14);
  const Offered all = offered();
  lines.emplace_back("PIPELINING");
  lines.emplace_back("SIZE " + std::to_string(all.size_limit));
  lines.emplace_back("8BITMIME");
  lines.emplace_back("ENHANCEDSTATUSCODES");
  if (all.smtputf8) lines.emplace_back("SMTPUTF8");
  if (all.chunking) lines.emplace_back("CHUNKING");
  if (all.dsn) lines.emplace_back("DSN");
  if (all.prdr) lines.emplace_back("PRDR");
  if (!client_.tls && (port_->tls == TlsMode::starttls || port_->tls == TlsMode::required))
    lines.emplace_back("STARTTLS");
  if (all.requiretls) lines.emplace_back("REQUIRETLS");
  lines.emplace_back("LIMITS RCPTMAX=" + std::to_string(options.limits.recipients) +
                     " MAILMAX=" + std::to_string(options.limits.transactions));
  if (trusted_for_xclient_) lines.emplace_back("XCLIENT NAME ADDR PORT PROTO HELO");  // what is used of it
  lines.emplace_back("HELP");
  return reply;
}

Task<Reply> Session::verb_ehlo(std::string_view argument) { return hello(argument, Verb::ehlo); }
Task<Reply> Session::verb_helo(std::string_view argument) { return hello(argument, Verb::helo); }
Task<Reply> Session::verb_lhlo(std::string_view argument) { return hello(argument, Verb::lhlo); }

Task<Reply> Session::verb_mail(std::string_view argument) {
  const Limits& limits = server_.options.limits;
  if (!server_.mail_rates.count(client_.ip, client_.ip.is_v4() ? 128 : 64, limits.mails_a_minute,
                                server_.clock.steady())) {
    co_return Reply(450, {4, 7, 1}, "Too many mails from your address this minute; please try again later");
  }
  if (transactions_ >= limits.transactions) {
    Reply enough(421, {4, 7, 0}, server_.options.host_name + " enough mails for one session, please connect again");
    enough.close = true;
    end_reason_ = "too many transactions";
    co_return enough;
  }
  auto parsed = parse_mail(argument, offered());
  if (!parsed) co_return protocol_error(std::move(parsed.error()));
  if (parsed->size.value_or(0) > limits.message_size) {
    co_return Reply(552, {5, 3, 4},
                    "the message is larger than the " + std::to_string(limits.message_size) + " octets taken here");
  }
  if (server_.content_octets > limits.memory_total) co_return Reply(452, {4, 3, 1}, "too busy for the moment");
  start_transaction(std::move(*parsed));
  Reply reply = co_await handler_->mail(client_, envelope_);
  if (reply.positive()) {
    transaction_ = true;
    idle_commands_ = 0;
    ++transactions_;
    server_.metrics.transactions.add();
  }
  co_return reply;
}

Task<Reply> Session::verb_rcpt(std::string_view argument) {
  auto parsed = parse_rcpt(argument, offered(), envelope_.smtputf8);
  if (!parsed) co_return protocol_error(std::move(parsed.error()));
  if (envelope_.recipients.size() >= server_.options.limits.recipients) {
    co_return Reply(452, {4, 5, 3}, "too many recipients for one transaction");
  }
  const Reply reply = co_await handler_->rcpt(client_, envelope_, parsed->recipient);
  if (reply.positive()) envelope_.recipients.push_back(std::move(parsed->recipient));
  // Whoever tries out addresses runs into the error budget; a list with some stale ones among many that got their mail
  // does not.
  refused_recipients_ += reply.permanent() ? 1 : 0;
  if (reply.permanent() && refused_recipients_ > kFreeRefusals + delivered_recipients_) co_return protocol_error(reply);
  co_return reply;
}

Task<Reply> Session::verb_data(std::string_view argument) {
  if (!argument.empty()) co_return protocol_error(Reply(501, {5, 5, 4}, "DATA has no argument"));
  if (envelope_.recipients.empty()) co_return Reply(554, {5, 5, 1}, "no valid recipients");
  if (auto refusal = content_refusal()) {
    co_await end_transaction();
    co_return std::move(*refusal);
  }
  begin_content(TextScanner::Form::dotted);
  mode_ = Mode::data;
  co_return Reply(354, "go on; end with <CRLF>.<CRLF>");
}

Task<Reply> Session::verb_bdat(std::string_view argument) {
  // Whatever is wrong, the octets announced follow: they are dropped, not taken for commands (RFC 3030 §2).
  const auto parsed = parse_bdat(argument);
  if (!parsed) {
    // How many octets follow is unknown, so nothing more of this connection can be understood.
    Reply refusal = parsed.error();
    refusal.close = true;
    end_reason_ = "bad BDAT";
    server_.metrics.protocol_errors.add();
    co_return refusal;
  }
  chunk_left_ = parsed->first;
  chunk_last_ = parsed->second;
  if (!incoming_) {
    content_began_ = std::chrono::steady_clock::now();
  } else if (std::chrono::steady_clock::now() >= content_deadline()) {
    Reply late(421, {4, 4, 2}, server_.options.host_name + " the message took too long");
    late.close = true;
    end_reason_ = "timed out";
    co_return late;
  }
  static constexpr Row kSequence{Verb::bdat, kTlsIfRequired | kHello | kTransaction, nullptr};
  auto refusal = out_of_sequence(kSequence);
  if (!refusal && !server_.options.offer_chunking) refusal = Reply(502, {5, 5, 1}, "CHUNKING is not offered here");
  if (refusal) {
    chunk_refusal_ = protocol_error(std::move(*refusal));
  } else if (envelope_.recipients.empty()) {
    chunk_refusal_ = Reply(554, {5, 5, 1}, "no valid recipients");
  } else if (!incoming_) {
    chunk_refusal_ = content_refusal();
    begin_content(TextScanner::Form::chunks);
  }
  // A chunk of nothing brings no mail on, unless it is the last one.
  if (chunk_left_ == 0 && !chunk_last_ && ++idle_commands_ > kIdleCommands) (void)protocol_error({});
  mode_ = Mode::chunk;
  co_return Reply();  // receive_chunk() answers
}

Task<Reply> Session::verb_rset(std::string_view argument) {
  if (!argument.empty()) co_return protocol_error(Reply(501, {5, 5, 4}, "RSET has no argument"));
  const bool idle = !transaction_;
  co_await end_transaction();
  if (idle && ++idle_commands_ > kIdleCommands) co_return protocol_error(Reply(250, {2, 0, 0}, "OK"));
  co_return Reply(250, {2, 0, 0}, "OK");
}

Task<Reply> Session::verb_noop(std::string_view) {
  if (++idle_commands_ > kIdleCommands) co_return protocol_error(Reply(250, {2, 0, 0}, "OK"));
  co_return Reply(250, {2, 0, 0}, "OK");
}

Task<Reply> Session::verb_quit(std::string_view argument) {
  if (!argument.empty()) co_return protocol_error(Reply(501, {5, 5, 4}, "QUIT has no argument"));
  said_quit_ = true;
  end_reason_ = "quit";
  Reply reply(221, {2, 0, 0}, server_.options.host_name + " closing the connection");
  reply.close = true;
  co_return reply;
}

Task<Reply> Session::verb_vrfy(std::string_view argument) {
  if (argument.empty()) co_return protocol_error(Reply(501, {5, 5, 4}, "VRFY needs an address"));
  // RFC 5321 §3.5.3: who may be asked for is nobody's business.
  if (++idle_commands_ > kIdleCommands)
    co_return protocol_error(Reply(252, {2, 5, 0}, "send some mail, I will try my best"));
  co_return Reply(252, {2, 5, 0}, "send some mail, I will try my best");
}

Task<Reply> Session::verb_expn(std::string_view) {
  co_return protocol_error(Reply(502, {5, 5, 1}, "EXPN is not offered here"));
}

Task<Reply> Session::verb_help(std::string_view) {
  ++idle_commands_;
  co_return Reply(214, {2, 0, 0}, "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY HELP STARTTLS (RFC 5321)");
}

Task<Reply> Session::verb_starttls(std::string_view argument) {
  if (!argument.empty()) co_return protocol_error(Reply(501, {5, 5, 4}, "STARTTLS has no argument"));
  if (client_.tls) co_return protocol_error(Reply(503, {5, 5, 1}, "TLS is on already"));
  const bool offered_here = port_->tls == TlsMode::starttls || port_->tls == TlsMode::required;
  if (!offered_here) co_return protocol_error(Reply(502, {5, 5, 1}, "STARTTLS is not offered here"));
  if (!server_.tls.load()) co_return Reply(454, {4, 7, 0}, "TLS is not available for the moment");
  mode_ = Mode::tls_handshake;
  co_return Reply(220, {2, 0, 0}, "ready to start TLS");
}

Task<Reply> Session::verb_auth(std::string_view) {
  co_return protocol_error(Reply(502, {5, 5, 1}, "AUTH is not offered here"));
}

Task<Reply> Session::verb_unknown(std::string_view) {
  co_return protocol_error(Reply(500, {5, 5, 1}, "unknown command"));
}

}  // namespace doorward::smtp
