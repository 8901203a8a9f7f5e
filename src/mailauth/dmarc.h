// DMARC (RFC 9989): is the domain that the reader sees in From proven by SPF or by a signature, and if not, what does
// its owner want done? What a failure then costs is the rules' business: a published "reject" is a finding here.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/task.h"
#include "mailauth/dmarc_record.h"
#include "mailauth/result.h"
#include "net/resolver.h"

namespace doorward::mailauth {

// What checking one DKIM signature came to.
struct DmarcSignature {
  Result result = Result::none;
  std::string domain;  // d=
  bool whole = true;   // l= leaves nothing of the body unsigned
};

struct DmarcRequest {
  // The domains of all addresses in all From fields, as they stand there (RFC 9989 §5.3.1).
  std::vector<std::string> authors;
  Result spf = Result::none;  // of the MAIL FROM identity: SpfOutcome::result
  std::string spf_domain;     // SpfOutcome::domain
  std::vector<DmarcSignature> signatures;
};

struct DmarcOptions {
  SteadyTime deadline{};  // of the whole evaluation
  // Where set, it finds the organisational domain (in: a domain in the form of net::dns_name()) instead of the tree
  // walk: RFC 7489's way, with a list of public suffixes. For tests and comparisons only.
  std::function<std::string(std::string_view)> organizational_domain{};
};

struct DmarcOutcome {
  // pass; fail; none: there is no record, none with a policy, or no author's domain; permerror: the policy is malformed
  // (RFC 9989 §4.10.1), or there are too many authors' domains; temperror: the DNS failed, and passing could not be
  // excluded.
  Result result = Result::none;
  DmarcPolicy policy = DmarcPolicy::none;     // to apply: of a fail alone; with t=y one step milder (RFC 9989 §4.7)
  DmarcPolicy published = DmarcPolicy::none;  // the same without regard to t=
  std::string author_domain{};                // A-labels; with several authors that with the worst result
  std::string policy_domain{};                // where the record stands
  std::string organizational_domain{};        // of the author's domain; "" where nobody needed it
  std::optional<DmarcRecord> record{};        // for reports
  bool spf_aligned = false;                   // SPF passed for an aligned domain
  bool dkim_aligned = false;                  // so did a signature
  std::string aligned_domain{};               // the one that proved it
  bool whole = false;            // of a pass: by more than a signature that leaves the end of the body to anybody (l=)
  bool several_authors = false;  // of different domains (RFC 9989 §10.5)
  std::string evidence{};        // one line
  unsigned queries = 0;          // questions asked
  bool dns = false;              // the DNS is the cause of a temperror
};

inline constexpr size_t kMostDmarcAuthors = 4;      // domains that are evaluated: the worst result counts
inline constexpr size_t kMostDmarcSignatures = 20;  // that are looked at

// `resolver` and `core` must outlive the wait.
Task<DmarcOutcome> check_dmarc(net::Core& core, net::Resolver& resolver, DmarcRequest request, DmarcOptions options);

}  // namespace doorward::mailauth
