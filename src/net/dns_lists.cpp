#include "net/dns_lists.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/log.h"

namespace doorward::net {
namespace {

constexpr size_t kMostNames = 8;  // name servers of a zone that are looked up

struct Waiting {
  std::string name;
  DnsType type;
  DnsSource::Done done;
};

struct Zone {
  std::string name;
  DnsUdp::Servers servers{};             // none: not found yet
  SteadyTime until = SteadyTime::max();  // then they, or their absence, are looked up again
  bool looking = false;
  size_t open = 0;  // addresses that are being looked up
  std::vector<Endpoint> found{};
  std::chrono::seconds ttl{};
  std::vector<Waiting> waiting{};
};

class ListSource final : public DnsSource {
 public:
  ListSource(ListZoneOptions options, std::unique_ptr<DnsSource> others)
      : options_(std::move(options)), udp_(options_.timing), others_(std::move(others)) {
    for (ListZone& each : options_.zones) {
      Zone& zone = zones_[each.zone];
      zone.name = each.zone;
      if (each.servers.empty()) {
        zone.until = SteadyTime::min();
      } else {
        zone.servers = std::make_shared<const std::vector<Endpoint>>(std::move(each.servers));
      }
    }
  }

  void ask(std::string name, DnsType type, Done done) override {
    Zone* const zone = type == DnsType::a || type == DnsType::aaaa || type == DnsType::txt ? zone_of(name) : nullptr;
    if (zone == nullptr) return others_->ask(std::move(name), type, std::move(done));
    std::unique_lock hold(lock_);
    const bool look = !zone->looking && std::chrono::steady_clock::now() >= zone->until;
    zone->looking = zone->looking || look;
    DnsUdp::Servers servers = zone->servers;  // old ones do while they are looked up again
    if (!servers && zone->looking) {
      zone->waiting.push_back({std::move(name), type, std::move(done)});
      hold.unlock();
      if (look) look_up(*zone);
      return;
    }
    hold.unlock();
    if (look) look_up(*zone);
    if (!servers) return done(dns_failure(DnsStatus::servfail));
    udp_.ask(std::move(name), type, std::move(servers), std::move(done));
  }

 private:
  Zone* zone_of(std::string_view name) {
    for (;;) {
      if (const auto known = zones_.find(std::string(name)); known != zones_.end()) return &known->second;
      const size_t dot = name.find('.');
      if (dot == std::string_view::npos) return nullptr;
      name.remove_prefix(dot + 1);
    }
  }

  void look_up(Zone& zone) {
    others_->ask(zone.name, DnsType::ns, [this, &zone](const DnsAnswer& answer) {
      auto names = answer.names();
      if (names.size() > kMostNames) names.resize(kMostNames);
      {
        const std::lock_guard hold(lock_);
        zone.found.clear();
        zone.open = names.size();
        zone.ttl = answer.ttl;
      }
      if (names.empty()) return looked_up(zone);
      for (std::string& name : names) {
        others_->ask(std::move(name), DnsType::a, [this, &zone](const DnsAnswer& found) { add(zone, found); });
      }
    });
  }

  void add(Zone& zone, const DnsAnswer& answer) {
    bool last = false;
    {
      const std::lock_guard hold(lock_);
      for (const mail::IpAddress& ip : answer.addresses()) zone.found.push_back({.ip = ip, .port = options_.port});
      if (answer.found()) zone.ttl = std::min(zone.ttl, answer.ttl);
      last = --zone.open == 0;
    }
    if (last) looked_up(zone);
  }

  void looked_up(Zone& zone) {
    std::vector<Waiting> waiting;
    DnsUdp::Servers servers;
    {
      const std::lock_guard hold(lock_);
      zone.looking = false;
      const SteadyTime now = std::chrono::steady_clock::now();
      if (zone.found.empty()) {
        zone.until = now + options_.retry;
      } else {
        zone.servers = std::make_shared<const std::vector<Endpoint>>(std::move(zone.found));
        zone.until = now + std::clamp(zone.ttl, options_.least_kept, options_.most_kept);
      }
      zone.found.clear();
      servers = zone.servers;
      waiting.swap(zone.waiting);
    }
    if (!servers) log::warning("dns.list_without_servers", {{"zone", zone.name}, {"mend", "name its servers"}});
    for (Waiting& each : waiting) {
      if (servers) {
        udp_.ask(std::move(each.name), each.type, servers, std::move(each.done));
      } else {
        each.done(dns_failure(DnsStatus::servfail));
      }
    }
  }

  ListZoneOptions options_;
  std::unordered_map<std::string, Zone> zones_;  // the same ones from the start on
  std::mutex lock_;                              // of what is in them
  DnsUdp udp_;
  std::unique_ptr<DnsSource> others_;  // ends first: then nobody calls back any more
};

}  // namespace

std::unique_ptr<DnsSource> with_list_zones(ListZoneOptions options, std::unique_ptr<DnsSource> others) {
  return std::make_unique<ListSource>(std::move(options), std::move(others));
}

}  // namespace doorward::net
