#include "gateway/gateway.h"

#include "gateway/session.h"
#include "net/core.h"

namespace doorward::gateway {

Gateway::Gateway(Options options, Parts parts, std::shared_ptr<const policy::Snapshot> snapshot,
                 std::vector<std::shared_ptr<delivery::BackendPool>> pools)
    : options_(std::move(options)),
      parts_(parts),
      judge_(parts.clock, {parts.memory.statistics, parts.memory.sightings, parts.memory.correspondence}),
      authenticator_(options_.authentication, options_.host_name, parts.clock, parts.resolver, pools.size()),
      pools_(std::move(pools)),
      snapshot_(std::move(snapshot)) {}

std::unique_ptr<smtp::Handler> Gateway::open(net::Core& core) { return std::make_unique<Session>(*this, core); }

void Gateway::set_snapshot(std::shared_ptr<const policy::Snapshot> snapshot) {
  const std::lock_guard guard(lock_);
  snapshot_.swap(snapshot);
}

std::shared_ptr<const policy::Snapshot> Gateway::snapshot() const {
  const std::lock_guard guard(lock_);
  return snapshot_;
}

delivery::BackendPool& Gateway::pool(const net::Core& core) { return *pools_.at(core.index()); }

}  // namespace doorward::gateway
