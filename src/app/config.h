// doorward.toml: the configuration of one node. Tenants live in the store (docs/policy.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "delivery/mx.h"
#include "filter/block_list.h"
#include "gateway/authentication.h"
#include "gateway/centre_client.h"
#include "gateway/lists.h"
#include "gateway/sealing.h"
#include "net/connection.h"
#include "net/resolver.h"
#include "net/tls.h"
#include "smtp/server.h"
#include "spool/spool.h"
#include "trust/correspondence.h"

namespace doorward::app {

// Of DMARC reports and of what is done with those that come in: docs/reports.md.
struct ReportsConfig {
  bool on = false;        // gathered and sent
  bool failures = false;  // single failures are told of too
  unsigned failures_an_hour = 10;
  std::string organization;   // whose they are
  std::string contact;        // their author's address
  std::string extra_contact;  // told in them; may be empty
  std::string sender;         // of the envelope; empty: the null reverse path
  std::chrono::seconds every{86'400};
  uint64_t most_rows = 10'000;  // of one report
  int keep_days = 400;          // of what came in
};

struct NodeConfig {
  std::string host_name;  // as banners and headers give it; empty: the machine's
  std::string state_directory = "/var/lib/doorward";
  std::string cache_directory = "/var/cache/doorward";
  std::string policy_file;  // imported at start and reload when it changed; empty: none
  std::string postmaster;   // the address that gets mail for <postmaster> without a domain; empty: none
  std::string user = "doorward", group = "doorward";
  bool may_run_as_root = false;
  unsigned cores = 0;  // 0: as many as the machine has
  std::optional<net::Endpoint> http_listen{net::Endpoint{mail::IpAddress::v4(0x7f000001), 8025, {}}};
  std::string log_target = "stderr";
  log::Level log_level = log::Level::info;
  int keep_sheets_days = 30;
  size_t statistics_entries = 1 << 21;  // a power of two
  size_t sightings_entries = 1 << 20;
  size_t trust_entries = 1 << 20;
  trust::Decay trust_decay = trust::Decay::halving;
  std::chrono::seconds trust_half_life = std::chrono::days(60);
  size_t greylist_entries = 1 << 18;
  std::vector<smtp::ListenerOptions> listeners;
  std::vector<net::Certificate> certificates;
  spool::Options spool;  // its directory is set by spool_options()
  net::ResolverOptions dns = [] {
    net::ResolverOptions made;
    made.resolv_conf = "/etc/resolv.conf";
    return made;
  }();
  delivery::MxOptions mx;
  gateway::AuthenticationOptions authentication;
  gateway::SealingOptions sealing;
  gateway::ListsOptions lists;
  gateway::CentreOptions centre;
  bool default_lists = true;                   // besides those named, where these do not name the same zone
  std::vector<filter::BlockList> block_lists;  // of [[list]]
  ReportsConfig reports;
  smtp::ServerOptions server;  // its host_name is set by server_options()

  std::string policy_path() const { return state_directory + "/policy.db"; }
  std::string sheets_path() const { return state_directory + "/sheets.db"; }
  std::string recipients_path() const { return state_directory + "/recipients.db"; }
  std::string vault_path() const { return state_directory + "/vault"; }
  std::string spool_path() const { return state_directory + "/spool"; }
  std::string reports_path() const { return state_directory + "/reports.db"; }
  std::string control_path() const { return state_directory + "/control.sock"; }
  std::string sightings_path() const { return state_directory + "/sightings"; }
  std::string trust_path() const { return state_directory + "/trust"; }
  std::string greylist_path() const { return state_directory + "/greylist"; }
  trust::Correspondence::Options correspondence_options() const;
  std::string statistics_path() const { return state_directory + "/statistics"; }
  smtp::ServerOptions server_options() const;
  spool::Options spool_options() const;
  std::vector<filter::BlockList> all_block_lists() const;  // the default ones included
  net::ResolverOptions dns_options() const;                // with the lists' zones
};

// Errors have a line each, "file:line: what", with the nearest known key where one is unknown. Relative paths are
// relative to the file's folder.
Result<NodeConfig> load_config(const std::string& file);
Result<NodeConfig> parse_config(std::string_view text, const std::string& file_name);

// All keys with the values in force, as a file that load_config() takes.
std::string print_effective(const NodeConfig& config);

// The keys that differ and that a reload cannot change.
std::vector<std::string> changes_that_need_a_restart(const NodeConfig& present, const NodeConfig& next);

// docs/configuration.md, made from the keys' descriptions.
std::string config_reference();

}  // namespace doorward::app
