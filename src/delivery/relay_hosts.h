// The servers that one core relays to, in the form in which its pool knows them: the same object for the same server,
// so that connections are found again.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>

#include "delivery/mx.h"
#include "policy/settings.h"

namespace doorward::delivery {

class RelayHosts {
 public:
  // reply_timeout: at least so long is a reply waited for, the last one for twice that; connections: to one MX host at
  // once, all cores together.
  RelayHosts(std::chrono::seconds reply_timeout, unsigned connections)
      : reply_timeout_(reply_timeout), connections_(connections) {}

  // A backend whose time is that of RFC 5321 §4.5.3.2 although clients are answered sooner; its connections count with
  // the proxy's.
  std::shared_ptr<const policy::Backend> patient(const std::shared_ptr<const policy::Backend>& backend);
  // verified: its certificate must be valid for its name.
  std::shared_ptr<const policy::Backend> of(const Target& target, bool verified);

 private:
  struct Copy {
    std::weak_ptr<const policy::Backend> original, copy;
  };
  void forget_unused();

  std::chrono::seconds reply_timeout_;
  unsigned connections_;
  std::unordered_map<const policy::Backend*, Copy> backends_;
  std::unordered_map<std::string, std::weak_ptr<const policy::Backend>> hosts_;  // "host address verified"
  size_t forget_at_ = 1024;
};

}  // namespace doorward::delivery
