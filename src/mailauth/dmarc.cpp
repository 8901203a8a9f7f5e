#include "mailauth/dmarc.h"

#include <algorithm>
#include <utility>

#include "mailauth/dmarc_walk.h"
#include "net/dns_answer.h"

namespace doorward::mailauth {
namespace {

constexpr size_t kMostEvidence = 300;  // octets

enum class Alignment : uint8_t { no, yes, unknown };  // unknown: the DNS did not say

bool is_at_or_below(std::string_view name, std::string_view domain) {
  return name == domain ||
         (name.size() > domain.size() && name.ends_with(domain) && name[name.size() - domain.size() - 1] == '.');
}

// A domain that passed, or that might have passed had the DNS answered.
struct Identifier {
  std::string domain;
  bool passed = false;
  bool spf = false;
  bool whole = true;
};

DmarcPolicy milder(DmarcPolicy policy) {
  return policy == DmarcPolicy::reject ? DmarcPolicy::quarantine : DmarcPolicy::none;
}

// Of one author's domain.
class Evaluation {
 public:
  Evaluation(net::Core& core, net::Resolver& resolver, const DmarcOptions& options,
             const std::vector<Identifier>& identifiers)
      : core_(core), resolver_(resolver), options_(options), identifiers_(identifiers) {}

  Task<DmarcOutcome> run(std::string author);

 private:
  Task<bool> find_record();
  Task<bool> find_listed_record();
  Task<bool> know_organization();
  Task<std::optional<std::string>> organization_of(std::string domain);
  Task<Alignment> aligned(const Identifier& identifier);
  Task<void> judge();
  Task<void> find_policy();

  void apply(const DmarcFound& found) {
    outcome_.policy_domain = found.domain;
    outcome_.record = found.record;
  }
  void end(Result result, std::string evidence) {
    outcome_.result = result;
    outcome_.evidence = std::move(evidence);
    outcome_.evidence.resize(std::min(outcome_.evidence.size(), kMostEvidence));
  }
  void fail_of_dns(const DmarcWalk& walk) {
    outcome_.dns = true;
    end(Result::temperror, "DNS: " + std::string(text(*walk.failure)) + " for _dmarc." + walk.failed_domain);
  }

  net::Core& core_;
  net::Resolver& resolver_;
  const DmarcOptions& options_;
  const std::vector<Identifier>& identifiers_;
  DmarcWalk walk_;  // of the author's domain
  DmarcOutcome outcome_;
};

Task<DmarcOutcome> Evaluation::run(std::string author) {
  outcome_.author_domain = author;
  walk_ = co_await start_dmarc_walk(core_, resolver_, std::move(author), options_.deadline);
  const bool found = co_await find_record();
  if (found) co_await judge();
  outcome_.queries += walk_.queries;
  co_return std::move(outcome_);
}

// RFC 9989 §4.10.1: the record of the author's domain, of its organisation, or of its public suffix.
Task<bool> Evaluation::find_record() {
  if (walk_.failure) {
    fail_of_dns(walk_);
    co_return false;
  }
  const DmarcFound* found = walk_.at(walk_.start);
  if (found == nullptr && options_.organizational_domain) co_return co_await find_listed_record();
  if (found == nullptr) {
    const bool known = co_await know_organization();
    if (!known) co_return false;
    found = walk_.at(outcome_.organizational_domain);
    if (found == nullptr) found = walk_.public_suffix();
  }
  if (found == nullptr) {
    end(Result::none, "no record for " + walk_.start);
    co_return false;
  }
  apply(*found);
  co_return true;
}

Task<bool> Evaluation::find_listed_record() {
  outcome_.organizational_domain = options_.organizational_domain(walk_.start);
  const DmarcWalk there =
      co_await start_dmarc_walk(core_, resolver_, outcome_.organizational_domain, options_.deadline);
  outcome_.queries += there.queries;
  if (there.failure) {
    fail_of_dns(there);
  } else if (there.found.empty()) {
    end(Result::none, "no record for " + walk_.start);
  } else {
    apply(there.found.front());
    co_return true;
  }
  co_return false;
}

// False where the DNS failed.
Task<bool> Evaluation::know_organization() {
  if (!outcome_.organizational_domain.empty()) co_return true;
  if (options_.organizational_domain) {
    outcome_.organizational_domain = options_.organizational_domain(walk_.start);
    co_return true;
  }
  walk_ = co_await finish_dmarc_walk(core_, resolver_, std::move(walk_), options_.deadline);
  if (walk_.failure) {
    fail_of_dns(walk_);
    co_return false;
  }
  outcome_.organizational_domain = walk_.organizational_domain();
  co_return true;
}

Task<std::optional<std::string>> Evaluation::organization_of(std::string domain) {
  if (options_.organizational_domain) co_return options_.organizational_domain(domain);
  DmarcWalk walk = co_await start_dmarc_walk(core_, resolver_, std::move(domain), options_.deadline);
  walk = co_await finish_dmarc_walk(core_, resolver_, std::move(walk), options_.deadline);
  outcome_.queries += walk.queries;
  if (walk.failure) co_return std::nullopt;
  co_return walk.organizational_domain();
}

// RFC 9989 §4.10.2.
Task<Alignment> Evaluation::aligned(const Identifier& identifier) {
  if (identifier.domain == walk_.start) co_return Alignment::yes;
  if (identifier.spf ? outcome_.record->strict_spf : outcome_.record->strict_dkim) co_return Alignment::no;
  const bool known = co_await know_organization();
  if (!known) co_return Alignment::unknown;
  // A domain's organisation is the domain itself or above it: others need not be asked for.
  if (!is_at_or_below(identifier.domain, outcome_.organizational_domain)) co_return Alignment::no;
  const auto organization = co_await organization_of(identifier.domain);
  if (!organization) co_return Alignment::unknown;
  co_return *organization == outcome_.organizational_domain ? Alignment::yes : Alignment::no;
}

Task<void> Evaluation::judge() {
  if (!outcome_.record->usable()) {
    const bool malformed = outcome_.record->malformed_policy;
    end(malformed ? Result::permerror : Result::none,
        "the record of " + outcome_.policy_domain + (malformed ? " has a policy that there is not" : " has no policy"));
    co_return;
  }
  bool open = false;  // passing cannot be excluded
  for (const Identifier& identifier : identifiers_) {
    const Alignment alignment = co_await aligned(identifier);
    if (alignment == Alignment::no) continue;
    if (alignment == Alignment::unknown || !identifier.passed) {
      open = true;
      continue;
    }
    (identifier.spf ? outcome_.spf_aligned : outcome_.dkim_aligned) = true;
    outcome_.whole = outcome_.whole || identifier.whole;
    if (outcome_.aligned_domain.empty()) outcome_.aligned_domain = identifier.domain;
  }
  if (outcome_.spf_aligned || outcome_.dkim_aligned) {
    outcome_.dns = false;
    std::string by = outcome_.spf_aligned ? (outcome_.dkim_aligned ? "SPF and DKIM" : "SPF") : "DKIM";
    end(Result::pass, by + " of " + outcome_.aligned_domain + " for " + walk_.start);
  } else if (open) {
    // RFC 9989 §5.3.6: neither pass nor fail, and the owner's policy cannot be applied.
    outcome_.dns = true;
    if (outcome_.evidence.empty()) outcome_.evidence = "an aligned domain could not be checked";
    outcome_.result = Result::temperror;
  } else {
    co_await find_policy();
  }
}

// Which of p=, sp= and np= is meant (RFC 9989 §4.10.1), and what t= makes of it.
Task<void> Evaluation::find_policy() {
  const DmarcRecord& record = *outcome_.record;
  DmarcPolicy policy = record.malformed_policy ? DmarcPolicy::none : record.policy.value_or(DmarcPolicy::none);
  if (!record.malformed_policy && outcome_.policy_domain != walk_.start) {
    policy = record.subdomains.value_or(policy);
    if (record.nonexistent && *record.nonexistent != policy) {
      ++outcome_.queries;
      // NXDOMAIN alone says that a domain does not exist (RFC 9989 §3.2, RFC 8020).
      const net::DnsAnswer answer = co_await resolver_.lookup(core_, walk_.start, net::DnsType::a, options_.deadline);
      if (answer.temporary()) {
        outcome_.dns = true;
        end(Result::temperror, "DNS: " + std::string(text(answer.status)) + " for " + walk_.start);
        co_return;
      }
      if (answer.status == net::DnsStatus::nxdomain) policy = *record.nonexistent;
    }
  }
  outcome_.published = policy;
  outcome_.policy = record.testing ? milder(policy) : policy;
  end(Result::fail, "nothing aligned with " + walk_.start + ", policy " + std::string(text(policy)) + " of " +
                        outcome_.policy_domain + (record.testing ? ", testing" : ""));
}

// What passed, and what the DNS left open. Other results prove nothing.
std::vector<Identifier> identifiers_of(const DmarcRequest& request) {
  std::vector<Identifier> identifiers;
  const auto add = [&](Result result, std::string_view domain, bool spf, bool whole) {
    if (result != Result::pass && result != Result::temperror) return;
    Identifier one{net::dns_name(domain), result == Result::pass, spf, whole};
    if (one.domain.empty()) return;
    const auto known = std::ranges::find_if(identifiers, [&](const Identifier& other) {
      return other.domain == one.domain && other.passed == one.passed && other.spf == one.spf;
    });
    if (known == identifiers.end()) {
      identifiers.push_back(std::move(one));
    } else {
      known->whole = known->whole || whole;
    }
  };
  add(request.spf, request.spf_domain, true, true);
  const size_t signatures = std::min(request.signatures.size(), kMostDmarcSignatures);
  for (size_t i = 0; i < signatures; ++i) {
    const auto& [result, domain, whole] = request.signatures[i];
    add(result, domain, false, whole);
  }
  return identifiers;
}

struct Authors {
  std::vector<std::string> domains;
  bool other = false;  // an author who has none that could be asked about
};

Authors authors_of(const DmarcRequest& request) {
  Authors authors;
  auto& domains = authors.domains;
  for (const std::string& given : request.authors) {
    std::string domain = net::dns_name(given);
    if (domain.empty() || domain.starts_with('[')) {
      authors.other = true;
    } else if (domains.size() <= kMostDmarcAuthors && std::ranges::find(domains, domain) == domains.end()) {
      domains.push_back(std::move(domain));
    }
  }
  return authors;
}

// How bad: the strictest policy of those that fail counts (RFC 9989 §10.5).
int badness(const DmarcOutcome& outcome) {
  switch (outcome.result) {
    case Result::fail:
      return outcome.policy == DmarcPolicy::reject ? 6 : outcome.policy == DmarcPolicy::quarantine ? 5 : 3;
    case Result::temperror:
      return 4;
    case Result::permerror:
      return 2;
    case Result::pass:
      return 0;
    default:
      return 1;
  }
}

}  // namespace

Task<DmarcOutcome> check_dmarc(net::Core& core, net::Resolver& resolver, DmarcRequest request, DmarcOptions options) {
  const std::vector<Identifier> identifiers = identifiers_of(request);
  const auto [authors, other] = authors_of(request);
  DmarcOutcome worst;
  if (authors.empty()) {
    worst.evidence = "no author's domain";
    co_return worst;
  }
  unsigned queries = 0;
  for (size_t i = 0; i < std::min(authors.size(), kMostDmarcAuthors); ++i) {
    Evaluation evaluation(core, resolver, options, identifiers);
    DmarcOutcome outcome = co_await evaluation.run(authors[i]);
    queries += outcome.queries;
    if (i == 0 || badness(outcome) > badness(worst)) worst = std::move(outcome);
  }
  worst.queries = queries;
  worst.several_authors = authors.size() > 1 || other;
  // Of an author who cannot be looked at, nothing is proven by those who can: mail programs may show that one (RFC 9989
  // §10.5).
  if (worst.result == Result::pass && (authors.size() > kMostDmarcAuthors || other)) {
    worst.result = Result::permerror;
    worst.evidence = other ? "an author without a valid domain beside others" : "too many authors' domains";
  }
  co_return worst;
}

}  // namespace doorward::mailauth
