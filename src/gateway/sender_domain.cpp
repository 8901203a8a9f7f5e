#include "gateway/sender_domain.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace doorward::gateway {
namespace {

smtp::Reply unknown_for_now() {
  return {451, {4, 4, 3}, "The domain of the sender's address cannot be looked up now; please try again later"};
}
smtp::Reply does_not_exist() {
  return {550, {5, 1, 8}, "The domain of the sender's address does not exist, or takes no mail"};
}
smtp::Reply takes_no_mail() {  // RFC 7505 §4.2
  return {550, {5, 7, 27}, "The domain of the sender's address says that it takes no mail, and so sends none"};
}

bool is_null_mx(const net::DnsAnswer& answer) {
  const auto exchanges = answer.exchanges();
  return exchanges.size() == 1 && exchanges.front().exchange.empty();
}

}  // namespace

Task<std::optional<smtp::Reply>> doubt_sender_domain(net::Core& core, net::Resolver& resolver, std::string domain,
                                                     SteadyTime deadline) {
  const auto mx = co_await resolver.lookup(core, domain, net::DnsType::mx, deadline);
  if (mx.found()) co_return is_null_mx(mx) ? std::optional(takes_no_mail()) : std::nullopt;
  if (mx.temporary()) co_return unknown_for_now();
  if (mx.status == net::DnsStatus::nxdomain) co_return does_not_exist();
  std::vector<Task<net::DnsAnswer>> asked;
  asked.push_back(resolver.lookup(core, domain, net::DnsType::a, deadline));
  asked.push_back(resolver.lookup(core, domain, net::DnsType::aaaa, deadline));
  const auto addresses = co_await when_all(std::move(asked));
  if (std::ranges::any_of(addresses, &net::DnsAnswer::found)) co_return std::nullopt;
  if (std::ranges::any_of(addresses, &net::DnsAnswer::temporary)) co_return unknown_for_now();
  co_return does_not_exist();
}

}  // namespace doorward::gateway
