#include "app/centre_serve.h"

#include <fmt/format.h>
#include <signal.h>
#include <systemd/sd-daemon.h>

#include <thread>

#include "app/health.h"
#include "app/privileges.h"
#include "app/version.h"
#include "base/log.h"
#include "centre/service.h"
#include "http/server.h"
#include "net/core.h"

namespace doorward::app {
namespace {

constexpr unsigned kMostConnections = 10'000;

Result<void> load_certificate(const CentreServeOptions& options, http::Server& server) {
  if (options.certificate.certificate_file.empty()) return {};
  auto tls = net::TlsServerContext::load({options.certificate});
  if (!tls) return std::unexpected(tls.error());
  server.set_tls(std::move(*tls));
  return {};
}

bool is_on_loopback(const net::Endpoint& at) { return at.ip.is_loopback() || !at.unix_path.empty(); }

// Until SIGTERM or SIGINT.
void wait_for_end(const sigset_t& taken, const CentreServeOptions& options, http::Server& server) {
  for (;;) {
    int number = 0;
    if (sigwait(&taken, &number) != 0 || number != SIGHUP) return;
    const auto loaded = load_certificate(options, server);
    if (loaded) {
      log::info("centre.reloaded");
    } else {
      log::error("centre.reload_failed", {{"error", loaded.error().text()}, {"kept", "the certificate as it was"}});
    }
    log::flush();
  }
}

Result<void> run(const CentreServeOptions& options, const sigset_t& signals) {
  const auto listen = net::Endpoint::parse(options.listen, 8026);
  if (!listen) return std::unexpected(listen.error());
  if (options.certificate.certificate_file.empty() && !is_on_loopback(*listen)) {
    return fail("without --certificate tokens would cross the network in clear: give one, or listen on loopback",
                options.listen);
  }
  if (auto made = make_folder_for(options.state_directory, std::nullopt); !made) return made;
  RealClock clock;
  auto service =
      centre::Service::open({options.state_directory, options.entries, options.entries, options.limits}, clock);
  if (!service) return std::unexpected(service.error());
  net::Cores cores(options.cores > 0 ? options.cores : std::max(1U, std::thread::hardware_concurrency()));
  http::Limits limits;
  limits.connections = kMostConnections;
  limits.body = trust::kMostReferenceBatch;
  http::Server server(cores, limits);
  (*service)->serve(server);
  if (auto loaded = load_certificate(options, server); !loaded) return loaded;
  if (auto bound = server.bind(*listen); !bound) return bound;
  std::unique_ptr<Health> health;
  if (!options.http.empty()) {
    const auto at = net::Endpoint::parse(options.http, 8027);
    if (!at) return std::unexpected(at.error());
    auto bound = Health::bind(cores, *at);
    if (!bound) return std::unexpected(bound.error());
    health = std::move(*bound);
    health->start();
  }
  server.start();
  (*service)->start();
  cores.start();
  if (health) health->set_ready(true);
  sd_notify(0, "READY=1");
  log::info("centre.ready", {{"version", kVersion}, {"address", server.addresses().front().text()}});
  log::flush();
  wait_for_end(signals, options, server);
  sd_notify(0, "STOPPING=1");
  server.stop();
  cores.stop();
  cores.join();
  (*service)->stop();
  log::info("centre.stopped");
  return {};
}

}  // namespace

int centre_serve(const CentreServeOptions& options) {
  sigset_t taken;
  sigemptyset(&taken);
  for (const int number : {SIGHUP, SIGTERM, SIGINT}) sigaddset(&taken, number);
  pthread_sigmask(SIG_BLOCK, &taken, nullptr);
  const auto done = run(options, taken);
  if (!done) fmt::print(stderr, "doorward centre serve: {}\n", done.error().text());
  log::flush();
  return done ? 0 : 1;
}

}  // namespace doorward::app
