#include "app/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "app/health.h"
#include "app/keeping.h"
#include "app/policy_file.h"
#include "app/relaying.h"
#include "app/reporting.h"
#include "base/log.h"
#include "base/offload.h"
#include "delivery/proxy.h"
#include "gateway/centre_reports.h"
#include "gateway/gateway.h"
#include "net/core.h"
#include "net/resolver.h"
#include "net/tls.h"
#include "policy/snapshot.h"
#include "sheet/archive.h"
#include "smtp/server.h"
#include "store/database.h"
#include "trust/word_statistics.h"

namespace doorward::app {
namespace {

constexpr size_t kOffloadThreads = 2;

Result<void> make_folders(const NodeConfig& config, const std::optional<Account>& account) {
  for (const auto& folder : {config.state_directory, config.cache_directory}) {
    if (folder.empty()) continue;
    if (auto made = make_folder_for(folder, account); !made) return made;
  }
  return {};
}

// The tenants: from the policy file, where one is named and has changed, into the store, and from there.
Result<std::shared_ptr<const policy::Snapshot>> load_policy(const NodeConfig& config) {
  auto database = store::Database::open(config.policy_path());
  if (!database) return std::unexpected(database.error());
  if (!config.policy_file.empty()) {
    if (auto taken = import_if_changed(**database, config.policy_file); !taken) return std::unexpected(taken.error());
  }
  return policy::Snapshot::load(**database, config.cache_directory);
}

// None configured: no STARTTLS is offered.
Result<std::shared_ptr<const net::TlsServerContext>> load_tls(const NodeConfig& config) {
  if (config.certificates.empty()) return std::shared_ptr<const net::TlsServerContext>();
  return net::TlsServerContext::load(config.certificates);
}

}  // namespace

struct Node::State {
  NodeConfig config;
  RealClock clock;
  std::unique_ptr<Offload> offload = std::make_unique<Offload>(kOffloadThreads);
  std::unique_ptr<Reporting> reporting;  // its core outlives those who answer to it: resolver and spool
  std::unique_ptr<sheet::Archive> archive;
  std::unique_ptr<trust::WordStatistics> statistics;
  std::unique_ptr<trust::Sightings> sightings;
  std::unique_ptr<trust::Correspondence> correspondence;
  std::unique_ptr<trust::Greylist> greylist;
  std::unique_ptr<gateway::Learner> learner;
  std::unique_ptr<net::Resolver> resolver;
  std::shared_ptr<gateway::Lists> lists;
  std::unique_ptr<Relaying> relaying;
  std::unique_ptr<Keeping> keeping;
  std::unique_ptr<net::Cores> cores;
  std::vector<std::shared_ptr<delivery::BackendPool>> pools;  // one a core
  std::shared_ptr<gateway::CentreClient> centre;              // its connections are the cores'
  std::unique_ptr<gateway::Gateway> gateway;
  std::unique_ptr<smtp::Server> server;
  std::unique_ptr<Health> health;

  explicit State(NodeConfig given) : config(std::move(given)) {}

  gateway::Memory memory() const { return {statistics.get(), sightings.get(), correspondence.get(), greylist.get()}; }

  TrustAccess trust_access() {
    return {correspondence.get(),
            [this](uint64_t customer, const trust::Correspondent& whom, double level) -> Result<void> {
              if (learner->set_trust(customer, whom, level, clock.now())) return {};
              return fail("too much waits to be learnt; try again in a moment");
            }};
  }

  Result<void> open_stores() {
    auto opened = sheet::Archive::open({.path = config.sheets_path(), .keep_days = config.keep_sheets_days}, clock);
    if (!opened) return std::unexpected(opened.error());
    archive = std::move(*opened);
    auto words = trust::WordStatistics::open(
        {.table_entries = config.statistics_entries, .directory = config.statistics_path()});
    if (!words) return std::unexpected(words.error());
    statistics = std::move(*words);
    auto seen = trust::Sightings::open({.entries = config.sightings_entries, .directory = config.sightings_path()});
    if (!seen) return std::unexpected(seen.error());
    sightings = std::move(*seen);
    auto known = trust::Correspondence::open(config.correspondence_options());
    if (!known) return std::unexpected(known.error());
    correspondence = std::move(*known);
    auto put_off = trust::Greylist::open({.entries = config.greylist_entries, .directory = config.greylist_path()});
    if (!put_off) return std::unexpected(put_off.error());
    greylist = std::move(*put_off);
    learner = std::make_unique<gateway::Learner>(memory());
    auto names = net::make_resolver(config.dns_options());
    if (!names) return std::unexpected(names.error());
    resolver = std::move(*names);
    lists = std::make_shared<gateway::Lists>(config.lists, config.all_block_lists());
    auto queue = Relaying::open(config, clock, *offload, *resolver);
    if (!queue) return std::unexpected(queue.error());
    relaying = std::move(*queue);
    auto reports = Reporting::open(config, clock, *resolver, relaying->spool(), [this] { return gateway->snapshot(); });
    if (!reports) return std::unexpected(reports.error());
    reporting = std::move(*reports);
    auto kept = Keeping::open(
        config, relaying->spool(), clock, [this] { return gateway->snapshot(); }, trust_access(),
        [this](bool all) { return reporting->send(all); },
        [this](std::string_view raw) {
          if (centre) gateway::tell_centre(*centre, trust::Report::not_spam, raw);
        });
    if (!kept) return std::unexpected(kept.error());
    keeping = std::move(*kept);
    return {};
  }

  Result<void> make_gateway() {
    auto snapshot = load_policy(config);
    if (!snapshot) return std::unexpected(snapshot.error());
    auto to_backends = net::TlsClientContext::load();
    if (!to_backends) return std::unexpected(to_backends.error());
    delivery::ProxyOptions proxy;
    proxy.helo_name = config.server_options().host_name;
    proxy.tls = *to_backends;
    pools.reserve(cores->count());
    for (unsigned i = 0; i < cores->count(); ++i) pools.push_back(delivery::make_pool(cores->at(i), proxy));
    gateway::Options options;
    options.host_name = config.server_options().host_name;
    options.notice = notice_style(config);
    options.authentication = config.authentication;
    if (auto postmaster = mail::parse_mailbox(config.postmaster)) options.postmaster = std::move(*postmaster);
    auto sealer = gateway::Sealer::load(config.sealing);
    if (!sealer) return std::unexpected(sealer.error());
    options.sealer = std::move(*sealer);
    auto service = gateway::CentreClient::make(config.centre, *resolver, cores->count());
    if (!service) return std::unexpected(service.error());
    centre = std::move(*service);
    gateway = std::make_unique<gateway::Gateway>(std::move(options),
                                                 gateway::Parts{.clock = clock,
                                                                .offload = *offload,
                                                                .archive = archive.get(),
                                                                .memory = memory(),
                                                                .learner = learner.get(),
                                                                .spool = &relaying->spool(),
                                                                .recipients = &relaying->recipients(),
                                                                .resolver = resolver.get(),
                                                                .lists = lists.get(),
                                                                .centre = centre.get(),
                                                                .witness = &reporting->witness()},
                                                 std::move(*snapshot), pools);
    return {};
  }

  Result<void> bind(std::shared_ptr<const net::TlsServerContext> tls) {
    server = std::make_unique<smtp::Server>(*cores, clock, config.server_options(), *gateway);
    server->set_tls(std::move(tls));
    for (const auto& listener : config.listeners) {
      if (auto bound = server->listen(listener); !bound) return bound;
    }
    if (config.http_listen) {
      auto opened = Health::bind(*cores, *config.http_listen);
      if (!opened) return std::unexpected(opened.error());
      health = std::move(*opened);
    }
    return {};
  }

  Result<void> open(const std::optional<Account>& account) {
    if (auto made = make_folders(config, account); !made) return made;
    std::optional<ActingAs> user(std::in_place, account);
    if (auto done = open_stores(); !done) return done;
    const unsigned count = config.cores > 0 ? config.cores : std::max(1U, std::thread::hardware_concurrency());
    cores = std::make_unique<net::Cores>(count);
    if (auto done = make_gateway(); !done) return done;
    // Keys too are read as the user to become: who could not read them at the next reload is told so now.
    auto tls = load_tls(config);
    if (!tls) return std::unexpected(tls.error());
    user.reset();  // low ports are root's
    return bind(std::move(*tls));
  }
};

Node::Node(std::unique_ptr<State> state) : state_(std::move(state)) {}

Node::~Node() {
  if (!state_) return;
  if (state_->reporting) state_->reporting->stop();
  if (state_->keeping) state_->keeping->stop();
  if (state_->relaying) state_->relaying->stop();
  if (state_->cores) {
    state_->cores->stop();
    state_->offload.reset();  // what is judged there finishes while everything that it uses still stands
    state_->cores->join();
  }
}

Result<std::unique_ptr<Node>> Node::open(NodeConfig config, const std::optional<Account>& account) {
  auto state = std::make_unique<State>(std::move(config));
  if (auto opened = state->open(account); !opened) return std::unexpected(opened.error());
  return std::unique_ptr<Node>(new Node(std::move(state)));
}

Result<void> Node::start() {
  state_->cores->start();
  net::Core& first = state_->cores->at(0);
  first.post([lists = state_->lists, &first, &resolver = *state_->resolver] {
    spawn(gateway::Lists::watch(lists, first, resolver));
  });
  first.post([centre = state_->centre, &first] { spawn(gateway::CentreClient::send_reports(centre, first)); });
  if (state_->health) state_->health->start();
  state_->relaying->start(
      *state_->cores, state_->pools, [gateway = state_->gateway.get()] { return gateway->snapshot(); },
      state_->server->addresses());
  state_->keeping->start();
  state_->reporting->start();
  state_->server->start();
  if (state_->health) state_->health->set_ready(true);
  for (const auto& address : state_->server->addresses()) log::info("serve.listening", {{"address", address.text()}});
  if (state_->health) log::info("serve.http_listening", {{"address", state_->health->address().text()}});
  return {};
}

Result<void> Node::reload(NodeConfig config) {
  // All or nothing: whatever is wrong is found before anything is taken.
  auto tls = load_tls(config);
  if (!tls) return std::unexpected(tls.error());
  const auto wants_tls = [](const smtp::ListenerOptions& listener) { return listener.tls != smtp::TlsMode::none; };
  if (!*tls && std::ranges::any_of(state_->config.listeners, wants_tls)) {
    return fail("a running listener needs a certificate: keep it, or restart", "doorward.toml");
  }
  auto snapshot = load_policy(config);
  if (!snapshot) return std::unexpected(snapshot.error());
  if (auto opened = log::set_target(config.log_target, config.log_level); !opened) return opened;
  for (const auto& key : changes_that_need_a_restart(state_->config, config)) {
    log::warning("serve.needs_restart", {{"key", key}});
  }
  state_->server->set_tls(*tls);
  state_->gateway->set_snapshot(std::move(*snapshot));
  return {};
}

void Node::drain() {
  if (state_->health) state_->health->set_ready(false);
  state_->relaying->stop();
  state_->server->drain();
}

bool Node::is_drained() const { return state_->server->sessions() == 0 && state_->relaying->is_idle(); }

}  // namespace doorward::app
