// Whose own mail servers hand in outgoing mail: networks bound to customers, and nobody else's (DESIGN §1, outbound).
#pragma once

#include <map>
#include <memory>
#include <unordered_map>

#include "mail/ip.h"
#include "policy/settings.h"

namespace doorward::policy {

class RelayNetworks {
 public:
  // False where the same network is bound already.
  bool add(const mail::Network& network, std::shared_ptr<const Settings> customer);
  // The customer's settings for outgoing mail, by the narrowest network; none: nobody's. A look-up for each width in
  // use.
  std::shared_ptr<const Settings> find(const mail::IpAddress& ip) const;

 private:
  struct Hash {
    size_t operator()(const mail::IpAddress& ip) const;
  };
  using Customers = std::unordered_map<mail::IpAddress, std::shared_ptr<const Settings>, Hash>;
  std::map<unsigned, Customers, std::greater<>> by_width_;  // the narrowest first
};

}  // namespace doorward::policy
