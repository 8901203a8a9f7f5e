#include "app/health.h"

#include <atomic>

#include "base/metrics.h"
#include "http/server.h"

namespace doorward::app {
namespace {

Task<http::Response> metrics_page() {
  http::Response response(200, metrics::render());
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  co_return response;
}

Task<http::Response> alive() { co_return http::Response(200, "ok\n"); }

Task<http::Response> readiness(bool ready) {
  co_return ready ? http::Response(200, "ready\n") : http::Response(503, "not ready: starting or draining\n");
}

}  // namespace

struct Health::State {
  explicit State(net::Cores& cores) : server(cores) {}
  std::atomic<bool> ready = false;
  http::Server server;
};

Health::Health(std::unique_ptr<State> state) : state_(std::move(state)) {}
Health::~Health() = default;

Result<std::unique_ptr<Health>> Health::bind(net::Cores& cores, const net::Endpoint& at) {
  auto state = std::make_unique<State>(cores);
  state->server.route("GET", "/metrics", [](const http::Request&) { return metrics_page(); });
  state->server.route("GET", "/healthz", [](const http::Request&) { return alive(); });
  state->server.route("GET", "/readyz", [raw = state.get()](const http::Request&) { return readiness(raw->ready); });
  if (auto bound = state->server.bind(at); !bound) return std::unexpected(bound.error());
  return std::unique_ptr<Health>(new Health(std::move(state)));
}

void Health::start() { state_->server.start(); }
void Health::set_ready(bool ready) { state_->ready = ready; }
net::Endpoint Health::address() const { return state_->server.addresses().front(); }

}  // namespace doorward::app
