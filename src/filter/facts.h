// What filters need of other rooms, as plain values: mailauth, scan and trust fill them in and never know each other.
#pragma once

#include <string>

namespace doorward::filter {

struct Facts {
  bool sender_authenticated = false;  // SPF- or DKIM-aligned, or an authenticated submitter
  std::string authenticated_domain;   // the domain that authenticated
};

}  // namespace doorward::filter
