#include "mailauth/iprev.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace doorward::mailauth {

Task<IprevOutcome> check_iprev(net::Core& core, net::Resolver& resolver, mail::IpAddress ip, SteadyTime deadline) {
  const auto reverse = co_await resolver.lookup(core, net::reverse_name(ip), net::DnsType::ptr, deadline);
  if (reverse.temporary()) co_return IprevOutcome{Result::temperror};
  std::vector<std::string> names = reverse.names();
  std::erase_if(names, [](const std::string& name) { return name.empty(); });
  if (names.empty()) co_return IprevOutcome{Result::permerror};
  names.resize(std::min(names.size(), kMostReverseNames));

  const auto type = ip.is_v4() ? net::DnsType::a : net::DnsType::aaaa;
  std::vector<Task<net::DnsAnswer>> asked;
  asked.reserve(names.size());
  for (const std::string& name : names) asked.push_back(resolver.lookup(core, name, type, deadline));
  const auto answers = co_await when_all(std::move(asked));
  bool unknown = false;
  for (size_t i = 0; i < names.size(); ++i) {
    const auto addresses = answers[i].addresses();
    if (std::ranges::find(addresses, ip) != addresses.end()) co_return IprevOutcome{Result::pass, std::move(names[i])};
    unknown = unknown || answers[i].temporary();
  }
  co_return IprevOutcome{unknown ? Result::temperror : Result::fail, std::move(names.front())};
}

}  // namespace doorward::mailauth
