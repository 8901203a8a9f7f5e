// Whom an http or https URL names (RFC 9110 §4.2).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace doorward::http {

struct Origin {
  bool tls = false;
  std::string host;  // a name, or an address without brackets
  uint16_t port = 80;
  std::string path;  // without the slash at its end; "" for the root

  // "https://centre.example.org", "http://[::1]:8026/fingerprints". Neither user, query nor fragment is taken.
  static Result<Origin> parse(std::string_view url);
  std::string host_header() const;  // RFC 9112 §3.2
};

}  // namespace doorward::http
