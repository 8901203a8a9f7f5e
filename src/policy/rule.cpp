#include <algorithm>

#include "mail/wildcard.h"
#include "policy/settings.h"

namespace doorward::policy {
namespace {

bool address_matches(const std::string& pattern, const std::string& key) {
  if (pattern == "*") return true;
  // The null sender has no address that a wildcard could match: it is named, or everything is meant.
  if (key.empty() || key == "<>") return pattern == "<>";
  return mail::wildcard_match(pattern, key);
}

}  // namespace

bool Rule::matches(sheet::Direction of, const mail::IpAddress& ip, const std::string& sender_key,
                   const std::string& recipient_key) const {
  if (direction && *direction != of) return false;
  if (!networks.empty() &&
      std::ranges::none_of(networks, [&](const mail::Network& network) { return network.contains(ip); })) {
    return false;
  }
  return address_matches(sender, sender_key) && address_matches(recipient, recipient_key);
}

}  // namespace doorward::policy
