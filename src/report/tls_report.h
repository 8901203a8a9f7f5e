// What an SMTP TLS report tells (RFC 8460): whether those who sent us mail could do so over TLS, as our policies want.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace doorward::report {

// Sessions that failed in the same way.
struct TlsFailure {
  std::string result;  // "certificate-expired", … (RFC 8460 §4.3)
  std::string sending_ip, receiving_host, receiving_ip;
  std::string reason;
  uint64_t sessions = 0;
};

struct TlsPolicy {
  std::string type;  // sts, tlsa, no-policy-found
  std::string domain;
  uint64_t successes = 0, failures = 0;  // sessions
  std::vector<TlsFailure> details;
};

struct TlsReport {
  std::string organization, contact, id;
  int64_t begin = 0, end = 0;  // seconds since 1970
  std::vector<TlsPolicy> policies;
};

}  // namespace doorward::report
