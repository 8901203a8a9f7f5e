#include "policy/relay_networks.h"

#include <string_view>

namespace doorward::policy {
namespace {

mail::IpAddress masked(const mail::IpAddress& ip, unsigned width) {
  auto bytes = ip.bytes();
  for (unsigned bit = width; bit < 128; ++bit) bytes[bit / 8] &= static_cast<uint8_t>(~(0x80U >> bit % 8));
  return mail::IpAddress::v6(bytes);
}

}  // namespace

size_t RelayNetworks::Hash::operator()(const mail::IpAddress& ip) const {
  const auto& bytes = ip.bytes();
  return std::hash<std::string_view>()(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

bool RelayNetworks::add(const mail::Network& network, std::shared_ptr<const Settings> customer) {
  return by_width_[network.prefix()].emplace(network.base(), std::move(customer)).second;
}

std::shared_ptr<const Settings> RelayNetworks::find(const mail::IpAddress& ip) const {
  for (const auto& [width, customers] : by_width_) {
    if (const auto found = customers.find(masked(ip, width)); found != customers.end()) return found->second;
  }
  return nullptr;
}

}  // namespace doorward::policy
