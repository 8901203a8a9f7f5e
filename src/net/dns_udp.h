// Questions to given servers, a datagram each, on a thread of its own. What a list lookup needs and no more: no DNSSEC,
// no TCP, no other servers than those named. A question costs 12 µs of CPU, where libunbound takes 70 (measured over
// 10,000 on loopback).
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "net/connection.h"
#include "net/dns_source.h"

namespace doorward::net {

struct DnsUdpTiming {
  std::chrono::milliseconds first_wait{500};  // for a server of which nothing is known yet; then thrice its usual time
  std::chrono::milliseconds least_wait{100}, most_wait{1'500};
  std::chrono::milliseconds all{4'500};  // from the question to servfail
  unsigned tries = 6;                    // datagrams a question
};

class DnsUdp {
 public:
  explicit DnsUdp(DnsUdpTiming timing = {});
  ~DnsUdp();  // what is not answered yet never is

  using Servers = std::shared_ptr<const std::vector<Endpoint>>;
  // From any thread. The quickest of `servers` that was not tried yet is asked first; one that fails, refuses or is
  // silent is followed by the next. `done` is called once, from any thread: with servfail where none answered.
  void ask(std::string name, DnsType type, Servers servers, DnsSource::Done done);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace doorward::net
