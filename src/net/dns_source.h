// Where answers come from, below the cache: a resolving library, or a server that is asked directly.
#pragma once

#include <functional>
#include <string>

#include "net/dns_answer.h"

namespace doorward::net {

class DnsSource {
 public:
  using Done = std::move_only_function<void(DnsAnswer)>;  // must not throw
  virtual ~DnsSource() = default;                         // ends its threads; what is not done yet is never done

  // From any thread. `name` is in the form of dns_name(). `done` is called once, from any thread, soon or late, also
  // before this returns.
  virtual void ask(std::string name, DnsType type, Done done) = 0;
};

}  // namespace doorward::net
