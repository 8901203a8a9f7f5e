// The sets of three header fields that an Authenticated Received Chain is made of (RFC 8617 §4.1, §4.2).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mailauth/signature.h"
#include "mailauth/signature_mail.h"

namespace doorward::mailauth {

inline constexpr unsigned kMostArcSets = 50;  // RFC 8617 §4.2.1

struct ArcSet {
  size_t results = 0, message = 0, seal = 0;  // indexes of the fields in the mail
  Signature message_signature, seal_signature;
  std::string_view payload;  // of ARC-Authentication-Results, what comes after "i=…;": folded, as it stands
};

struct ArcChain {
  bool present = false;      // there is at least one ARC field
  std::string fault;         // why this is no chain; empty: instances 1 to N are there, each with its three fields
  unsigned highest = 0;      // the highest instance that could be read, of whatever field
  std::vector<ArcSet> sets;  // [0] is instance 1; incomplete where there is a fault
};

ArcChain read_chain(const SignedMail& mail);

// "i=1; payload" of ARC-Authentication-Results.
struct ArcResults {
  unsigned instance = 0;
  std::string_view payload;
};
std::optional<ArcResults> read_arc_results(std::string_view value);

}  // namespace doorward::mailauth
