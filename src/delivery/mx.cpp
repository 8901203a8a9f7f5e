#include "delivery/mx.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

#include "mail/ascii.h"

namespace doorward::delivery {
namespace {

using net::DnsAnswer;
using net::DnsStatus;
using net::DnsType;

constexpr size_t kMostAsked = 8;  // hosts whose addresses are asked: some of the best may have none

smtp::Reply no_answer(const mail::Domain& domain) {
  return {451, {4, 4, 3}, fmt::format("The name servers of {} do not answer at present", domain.key())};
}
smtp::Reply no_such_domain(const mail::Domain& domain) {
  return {550, {5, 1, 2}, fmt::format("There is no domain {}", domain.key())};
}
smtp::Reply takes_no_mail(const mail::Domain& domain) {
  return {556, {5, 1, 10}, fmt::format("The domain {} takes no mail", domain.key())};
}
smtp::Reply no_usable_server(const mail::Domain& domain) {
  return {550, {5, 1, 2}, fmt::format("The domain {} names no mail server that can be reached", domain.key())};
}
smtp::Reply leads_back(const mail::Domain& domain) {
  return {554, {5, 4, 6}, fmt::format("The mail for {} would come back to this server", domain.key())};
}

// A name that a host can have, which no address is; underscores as practice has them.
bool is_host_name(std::string_view name) {
  if (name.empty() || mail::IpAddress::parse(name)) return false;
  const auto known = [](char c) { return mail::is_let_dig(c) || c == '-' || c == '_' || c == '.'; };
  if (!std::ranges::all_of(name, known)) return false;
  return !std::ranges::all_of(name.substr(name.rfind('.') + 1), mail::is_digit);
}

struct Host {
  std::string name;
  uint16_t preference = 0;
};

// One attempt to find the way of one domain.
class Search {
 public:
  Search(net::Core& core, net::Resolver& resolver, mail::Domain domain, MxOptions options)
      : core_(core),
        resolver_(resolver),
        domain_(std::move(domain)),
        options_(std::move(options)),
        deadline_(std::chrono::steady_clock::now() + options_.patience),
        random_(options_.seed ? *options_.seed : std::random_device{}()) {
    for (std::string& name : options_.own_names) name = net::dns_name(name);
  }

  Task<RoutesFound> run();

 private:
  struct Addresses {
    DnsAnswer v4, v6;
  };

  RoutesFound to_literal();
  std::vector<Host> hosts_of(const DnsAnswer& answer);
  Task<Addresses> addresses_of(std::string host);
  void add(const Host& host, const Addresses& found);
  void add_targets(const Host& host, std::vector<mail::IpAddress> addresses, bool authenticated);
  std::vector<mail::IpAddress> usable(const DnsAnswer& answer);
  bool is_own_name(std::string_view name) const {
    return std::ranges::find(options_.own_names, name) != options_.own_names.end();
  }
  bool is_own(const mail::IpAddress& ip) const;
  bool is_allowed(const mail::IpAddress& ip) const;
  void drop_from(unsigned preference) { limit_ = std::min(limit_, preference); }

  net::Core& core_;
  net::Resolver& resolver_;
  mail::Domain domain_;
  MxOptions options_;
  SteadyTime deadline_;
  std::mt19937_64 random_;

  Routes routes_;
  bool authenticated_ = false;   // what named the hosts
  bool unanswered_ = false;      // some question that might have shown a target
  unsigned limit_ = UINT32_MAX;  // hosts of this preference and worse are not to be tried: we stand among them
  size_t hosts_used_ = 0;
};

bool Search::is_own(const mail::IpAddress& ip) const {
  return std::ranges::any_of(options_.own_endpoints,
                             [&](const net::Endpoint& own) { return own.ip == ip && own.port == options_.port; });
}

bool Search::is_allowed(const mail::IpAddress& ip) const {
  return is_public(ip) ||
         std::ranges::any_of(options_.allowed, [&](const auto& network) { return network.contains(ip); });
}

RoutesFound Search::to_literal() {
  std::string_view inner = domain_.text();
  inner = inner.substr(1, inner.size() - 2);
  if (mail::starts_ignoring_case(inner, "IPv6:")) inner.remove_prefix(5);
  const auto ip = mail::IpAddress::parse(inner);
  if (!ip || !is_allowed(*ip)) return std::unexpected(no_usable_server(domain_));
  if (is_own(*ip)) return std::unexpected(leads_back(domain_));
  routes_.targets.push_back({domain_.text(), {*ip, options_.port}, 0, false});
  return std::move(routes_);
}

// By preference, equal ones in random order (RFC 5321 §5.1), cut where we ourselves stand.
std::vector<Host> Search::hosts_of(const DnsAnswer& answer) {
  std::vector<Host> hosts;
  for (net::MailExchange& mx : answer.exchanges()) {
    if (is_own_name(mx.exchange)) {
      drop_from(mx.preference);
    } else if (is_host_name(mx.exchange)) {
      hosts.push_back({std::move(mx.exchange), mx.preference});
    }
  }
  std::ranges::shuffle(hosts, random_);
  std::ranges::sort(hosts, {}, &Host::preference);
  std::erase_if(hosts, [this](const Host& host) { return host.preference >= limit_; });
  hosts.resize(std::min(hosts.size(), kMostAsked));
  return hosts;
}

Task<Search::Addresses> Search::addresses_of(std::string host) {
  std::vector<Task<DnsAnswer>> asked;
  const auto ask = [&](DnsType type, Families without) {
    if (options_.families != without) asked.push_back(resolver_.lookup(core_, host, type, deadline_));
  };
  ask(DnsType::a, Families::v6_only);
  ask(DnsType::aaaa, Families::v4_only);
  std::vector<DnsAnswer> answers = co_await when_all(std::move(asked));
  DnsAnswer none = net::dns_failure(DnsStatus::no_data);
  none.authenticated = true;
  if (options_.families == Families::v6_only) answers.insert(answers.begin(), none);
  if (options_.families == Families::v4_only) answers.push_back(none);
  co_return Addresses{std::move(answers[0]), std::move(answers[1])};
}

// A host of several addresses is tried at random ones: our resolver has no better order to give them.
std::vector<mail::IpAddress> Search::usable(const DnsAnswer& answer) {
  std::vector<mail::IpAddress> addresses = answer.addresses();
  std::erase_if(addresses, [this](const mail::IpAddress& ip) { return !is_allowed(ip); });
  std::ranges::shuffle(addresses, random_);
  return addresses;
}

void Search::add(const Host& host, const Addresses& found) {
  unanswered_ = unanswered_ || found.v4.temporary() || found.v6.temporary();
  std::vector<mail::IpAddress> first = usable(found.v6), second = usable(found.v4);
  // Our address may well be a private one, which nobody else's mail would be sent to.
  const auto is_us = [this](const DnsAnswer& answer) {
    return is_own_name(answer.canonical()) ||
           std::ranges::any_of(answer.addresses(), [this](const mail::IpAddress& ip) { return is_own(ip); });
  };
  if (is_us(found.v4) || is_us(found.v6)) {
    drop_from(host.preference);
    return;
  }
  if (options_.families == Families::v4_and_v6) std::swap(first, second);
  std::vector<mail::IpAddress> addresses;
  for (size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) addresses.push_back(first[i]);
    if (i < second.size()) addresses.push_back(second[i]);
  }
  add_targets(host, std::move(addresses), authenticated_ && (found.v4.found() ? found.v4 : found.v6).authenticated);
  for (const DnsAnswer* answer : {&found.v4, &found.v6}) {
    if (answer->found()) routes_.ttl = std::min(routes_.ttl, answer->ttl);
  }
}

void Search::add_targets(const Host& host, std::vector<mail::IpAddress> addresses, bool authenticated) {
  if (addresses.empty() || hosts_used_ == options_.hosts) return;
  ++hosts_used_;
  addresses.resize(std::min(addresses.size(), options_.addresses_of_a_host));
  for (const mail::IpAddress& ip : addresses) {
    routes_.targets.push_back({host.name, {ip, options_.port}, host.preference, authenticated});
  }
}

Task<RoutesFound> Search::run() {
  if (domain_.is_literal()) co_return to_literal();
  const DnsAnswer answer = co_await resolver_.lookup(core_, domain_.key(), DnsType::mx, deadline_);
  if (answer.temporary()) co_return std::unexpected(no_answer(domain_));
  if (answer.status == DnsStatus::nxdomain) co_return std::unexpected(no_such_domain(domain_));
  authenticated_ = answer.authenticated;
  routes_.ttl = answer.ttl;
  std::vector<Host> hosts;
  const std::vector<net::MailExchange> exchanges = answer.exchanges();
  if (exchanges.empty()) {
    // Also an alias without MX: its addresses are those of the name it leads to.
    routes_.implicit = true;
    if (is_own_name(domain_.key())) co_return std::unexpected(leads_back(domain_));
    hosts.push_back({domain_.key(), 0});
  } else {
    if (exchanges.size() == 1 && exchanges[0].exchange.empty()) co_return std::unexpected(takes_no_mail(domain_));
    hosts = hosts_of(answer);
  }
  std::vector<Task<Addresses>> asked;
  asked.reserve(hosts.size());
  for (const Host& host : hosts) asked.push_back(addresses_of(host.name));
  const std::vector<Addresses> found = co_await when_all(std::move(asked));
  for (size_t i = 0; i < hosts.size(); ++i) add(hosts[i], found[i]);
  std::erase_if(routes_.targets, [this](const Target& target) { return target.preference >= limit_; });
  if (routes_.targets.size() > options_.targets) routes_.targets.resize(options_.targets);
  if (!routes_.targets.empty()) co_return std::move(routes_);
  if (unanswered_) co_return std::unexpected(no_answer(domain_));
  co_return std::unexpected(limit_ != UINT32_MAX ? leads_back(domain_) : no_usable_server(domain_));
}

}  // namespace

Task<RoutesFound> find_routes(net::Core& core, net::Resolver& resolver, mail::Domain domain, MxOptions options) {
  Search search(core, resolver, std::move(domain), std::move(options));
  RoutesFound found = co_await search.run();
  co_return found;
}

}  // namespace doorward::delivery
