#include "app/relaying.h"

#include "journal/disk.h"

namespace doorward::app {

delivery::NoticeStyle notice_style(const NodeConfig& config) {
  delivery::NoticeStyle style;
  style.host_name = config.server_options().host_name;
  return style;
}

Relaying::Relaying(const NodeConfig& config, const Clock& clock, Offload& offload, net::Resolver& resolver)
    : config_(config), clock_(clock), offload_(offload), resolver_(resolver) {}

Result<std::unique_ptr<Relaying>> Relaying::open(const NodeConfig& config, const Clock& clock, Offload& offload,
                                                 net::Resolver& resolver) {
  std::unique_ptr<Relaying> made(new Relaying(config, clock, offload, resolver));
  if (auto opened = made->open_stores(); !opened) return std::unexpected(opened.error());
  return made;
}

Result<void> Relaying::open_stores() {
  auto spool = spool::Spool::open(config_.spool_options(), clock_, journal::real_disk());
  if (!spool) return std::unexpected(spool.error());
  spool_ = std::move(*spool);
  queue_ = delivery::queue_of(*spool_);
  auto memory = delivery::RecipientMemory::open({.path = config_.recipients_path()}, clock_);
  if (!memory) return std::unexpected(memory.error());
  memory_ = std::move(*memory);
  recipients_ = std::make_unique<delivery::RecipientCheck>(delivery::RecipientCheckOptions{}, *memory_, clock_);
  return {};
}

delivery::RelayOptions Relaying::options(const std::vector<net::Endpoint>& listeners) const {
  delivery::RelayOptions made;
  made.notice = notice_style(config_);
  made.mx = config_.mx;
  made.mx.own_names = {made.notice.host_name};
  made.mx.own_endpoints = delivery::own_endpoints(listeners);
  made.warn_after = config_.spool.warn_after;
  made.lifetime = config_.spool.lifetime;
  return made;
}

void Relaying::start(net::Cores& cores, const std::vector<std::shared_ptr<delivery::BackendPool>>& pools,
                     Snapshots snapshots, const std::vector<net::Endpoint>& listeners) {
  std::vector<delivery::RelaySeat> seats;
  seats.reserve(pools.size());
  for (unsigned i = 0; i < cores.count(); ++i) seats.push_back({&cores.at(i), pools[i]});
  relay_ = std::make_unique<delivery::Relay>(
      options(listeners), delivery::RelayParts{*queue_, clock_, offload_, &resolver_, snapshots}, std::move(seats));
  relay_->start();
}

void Relaying::stop() {
  if (relay_) relay_->stop();
}

bool Relaying::is_idle() const { return !relay_ || relay_->is_idle(); }

void Relaying::cancel() {
  if (relay_) relay_->cancel();
}

Relaying::~Relaying() { stop(); }

}  // namespace doorward::app
