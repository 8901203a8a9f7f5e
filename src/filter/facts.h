// What filters need of other rooms, as plain values: mailauth, scan and trust fill them in and never know each other.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "filter/block_list.h"
#include "mailauth/arc.h"
#include "mailauth/dkim.h"
#include "mailauth/dmarc.h"
#include "mailauth/iprev.h"
#include "mailauth/spf.h"
#include "sheet/points.h"
#include "trust/reference_batch.h"

namespace doorward::filter {

// What SPF, DKIM, DMARC and ARC say of an inbound mail.
struct Authentication {
  bool spf_asked = true;  // and iprev; not of clients in our own networks, of which no record of strangers speaks
  mailauth::IprevOutcome iprev;
  mailauth::SpfOutcome spf;
  mailauth::DkimOutcome dkim;
  mailauth::ArcOutcome arc;
  mailauth::DmarcOutcome dmarc;
};

// An answer of a list that means something.
struct ListHit {
  std::string list;  // its name
  ListKind kind = ListKind::ip;
  std::string object;      // "192.0.2.1", "example.org"
  std::string_view where;  // as ListQuestion has it
  std::string codes;       // "127.0.0.2"
  sheet::Points points;
};

struct Facts {
  bool submitted = false;                          // by a customer's own server or an authenticated submitter
  bool helo_is_ours = false;                       // the client greeted with our name, or that of a protected domain
  std::optional<Authentication> authentication{};  // none: nobody asked
  std::vector<ListHit> list_hits{};
  std::optional<trust::ReferenceAnswer> elsewhere{};  // what the fingerprint service knows; none: it did not answer
  std::vector<std::string> skipped{};                 // "sender_authentication: why": checks that could not answer

  // Whether the mail is proven to come from this domain (A-labels): by SPF or a signature of it or of one above it,
  // which is the alignment of RFC 9989 §4.4.2 without the part of it that needs to know who owns what; and by DMARC. A
  // signature that leaves the end of the body to anybody (l=) proves nothing.
  bool proves(std::string_view domain) const;
  bool proves_somebody() const;  // some domain
};

}  // namespace doorward::filter
