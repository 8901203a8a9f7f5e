// A message that comes in.
#pragma once

#include "smtp/session.h"

namespace doorward::smtp {

struct Session::Incoming {
  Incoming(ServerState& owner, TextScanner::Form form, uint64_t largest)
      : server(owner),
        scanner(form, owner.options.limits.long_line, largest),
        content(owner.options.limits.memory_per_connection, owner.options.limits.spill_directory) {}
  ~Incoming() { server.content_octets -= counted; }
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

  ServerState& server;
  TextScanner scanner;
  mail::Content content;
  size_t counted = 0;  // octets in server.content_octets
  bool disk_failed = false;
  bool over_budget = false;
};

}  // namespace doorward::smtp
