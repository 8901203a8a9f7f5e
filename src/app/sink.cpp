#include "app/sink.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <vector>

#include "app/maildir.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/core.h"
#include "smtp/server.h"

namespace doorward::app {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

struct Store {
  std::optional<Maildir> maildir{};
  std::atomic<uint64_t> mails{0};
  uint64_t size_limit = 0;
  bool lmtp = false;
};

// RFC 5321 §4.4: the last server keeps the reverse path; the recipients would be lost without a line of their own.
std::string trace_lines(const mail::Envelope& envelope) {
  std::string lines = "Return-Path: <" + envelope.from.text() + ">\r\n";
  for (const mail::Recipient& each : envelope.recipients) lines += "Delivered-To: " + each.mailbox.text() + "\r\n";
  return lines;
}

class SinkHandler final : public smtp::Handler {
 public:
  explicit SinkHandler(Store& store) : store_(store) {}

  Task<smtp::Reply> connected(const mail::Client&) override { co_return smtp::Reply(220, "doorward sink"); }
  Task<smtp::Reply> hello(const mail::Client&) override { co_return smtp::Reply(250, "doorward sink"); }
  Task<smtp::Reply> mail(const mail::Client&, const mail::Envelope&) override {
    co_return smtp::Reply(250, {2, 1, 0}, "Ok");
  }
  Task<smtp::Reply> rcpt(const mail::Client&, const mail::Envelope&, const mail::Recipient&) override {
    co_return smtp::Reply(250, {2, 1, 5}, "Ok");
  }
  uint64_t size_limit() const override { return store_.size_limit; }
  Task<std::vector<smtp::Reply>> data(const mail::Client&, const mail::Envelope& envelope,
                                      mail::Content content) override {
    smtp::Reply reply(250, {2, 0, 0}, "Stored");
    if (store_.maildir) {
      const std::string trace = trace_lines(envelope);
      const std::array<std::string_view, 2> pieces{trace, content.bytes()};
      if (const auto stored = store_.maildir->store(pieces); !stored) {
        log::error("sink.store_failed", {{"id", envelope.id}, {"error", stored.error().text()}});
        reply = smtp::Reply(451, {4, 3, 0}, "Cannot store the mail");
      }
    }
    if (reply.code == 250) store_.mails.fetch_add(1, std::memory_order_relaxed);
    // LMTP wants a reply a recipient (RFC 2033 §4.2), PRDR one a recipient and one for all.
    std::vector<smtp::Reply> replies;
    size_t count = 1;
    if (store_.lmtp)
      count = envelope.recipients.size();
    else if (envelope.prdr)
      count = envelope.recipients.size() + 1;
    replies.assign(count, reply);
    co_return replies;
  }
  Task<void> reset() override { co_return; }
  Task<void> closed() override { co_return; }

 private:
  Store& store_;
};

class SinkFactory final : public smtp::HandlerFactory {
 public:
  explicit SinkFactory(Store& store) : store_(store) {}
  std::unique_ptr<smtp::Handler> open(net::Core&) override { return std::make_unique<SinkHandler>(store_); }

 private:
  Store& store_;
};

}  // namespace

struct Sink::State {
  RealClock clock;
  Store store;
  SinkFactory factory{store};
  net::Cores cores;
  std::optional<smtp::Server> server{};

  explicit State(unsigned count) : cores(count) {}
  ~State() {
    cores.stop();
    cores.join();
  }
};

Sink::Sink(std::unique_ptr<State> state) : state_(std::move(state)) {}
Sink::~Sink() = default;

Result<std::unique_ptr<Sink>> Sink::start(SinkOptions options) {
  auto state = std::make_unique<State>(options.cores);
  state->store.size_limit = options.message_size;
  state->store.lmtp = options.lmtp;
  if (!options.maildir.empty()) {
    auto made = Maildir::make(options.maildir);
    if (!made) return std::unexpected(std::move(made.error()));
    state->store.maildir.emplace(std::move(*made), host_name(), options.fsync);
  }
  smtp::ServerOptions server;
  server.host_name = host_name();
  server.limits.message_size = options.message_size;
  server.limits.connections_per_ip = server.limits.connections;  // one client, a gateway, is all it has
  server.limits.transactions = 1'000'000;
  state->server.emplace(state->cores, state->clock, std::move(server), state->factory);
  if (options.certificate) {
    auto context = net::TlsServerContext::load({*options.certificate});
    if (!context) return std::unexpected(std::move(context.error()));
    state->server->set_tls(std::move(*context));
  }
  smtp::ListenerOptions listener;
  listener.name = "sink";
  listener.address = options.listen;
  listener.lmtp = options.lmtp;
  listener.tls = options.certificate ? smtp::TlsMode::starttls : smtp::TlsMode::none;
  if (auto bound = state->server->listen(std::move(listener)); !bound) return std::unexpected(std::move(bound.error()));
  state->server->start();
  state->cores.start();
  return std::unique_ptr<Sink>(new Sink(std::move(state)));
}

net::Endpoint Sink::address() const { return state_->server->addresses().front(); }
uint64_t Sink::mails() const { return state_->store.mails.load(std::memory_order_relaxed); }

Result<void> run_sink(SinkOptions options) {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  static_cast<void>(
      log::set_target("stderr", log::Level::warning));  // a line a session would be most of what a sink does
  auto sink = Sink::start(std::move(options));
  if (!sink) return std::unexpected(std::move(sink.error()));
  fmt::print("doorward sink: listening on {}\n", (*sink)->address().text());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ending, &signal);
  fmt::print("doorward sink: {} mails\n", (*sink)->mails());
  std::fflush(stdout);
  return {};
}

}  // namespace doorward::app
