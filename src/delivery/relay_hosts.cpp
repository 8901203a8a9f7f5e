#include "delivery/relay_hosts.h"

#include <algorithm>

namespace doorward::delivery {

std::shared_ptr<const policy::Backend> RelayHosts::patient(const std::shared_ptr<const policy::Backend>& backend) {
  if (backend->timeout >= reply_timeout_) return backend;
  Copy& known = backends_[backend.get()];
  if (known.original.lock() == backend)
    if (auto copy = known.copy.lock()) return copy;
  auto copy = std::make_shared<policy::Backend>(*backend);
  copy->timeout = reply_timeout_;
  known = Copy{backend, copy};
  std::erase_if(backends_, [](const auto& entry) { return entry.second.original.expired(); });
  return copy;
}

std::shared_ptr<const policy::Backend> RelayHosts::of(const Target& target, bool verified) {
  std::string key = target.host + ' ' + target.endpoint.text() + (verified ? " verified" : "");
  if (const auto found = hosts_.find(key); found != hosts_.end())
    if (auto host = found->second.lock()) return host;
  if (hosts_.size() >= forget_at_) forget_unused();
  auto host = std::make_shared<policy::Backend>();
  host->name = target.host;  // id 0: nobody's protected server
  host->addresses.push_back(target.endpoint);
  host->tls = verified ? policy::BackendTls::required_verified : policy::BackendTls::opportunistic;
  if (verified) host->tls_name = target.host;
  host->max_connections = connections_;
  host->timeout = reply_timeout_;
  hosts_[std::move(key)] = host;
  return host;
}

void RelayHosts::forget_unused() {
  std::erase_if(hosts_, [](const auto& entry) { return entry.second.expired(); });
  forget_at_ = std::max<size_t>(1024, 2 * hosts_.size());
}

}  // namespace doorward::delivery
