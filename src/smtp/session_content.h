// A message that comes in.
#pragma once

#include "smtp/session.h"

namespace doorward::smtp {

struct Session::Incoming {
  Incoming(ServerState& owner, TextScanner::Form form, uint64_t largest)
      : server(owner),
        scanner(form, owner.options.limits.long_line, largest),
        content(owner.options.limits.memory_per_connection, owner.options.limits.spill_directory),
        began(std::chrono::steady_clock::now()) {}
  ~Incoming() { server.content_octets -= counted; }
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

  ServerState& server;
  TextScanner scanner;
  mail::Content content;
  size_t counted = 0;  // octets in server.content_octets
  bool disk_failed = false;
  bool over_budget = false;
  SteadyTime began;  // of real time: sockets know no other
};

}  // namespace doorward::smtp
