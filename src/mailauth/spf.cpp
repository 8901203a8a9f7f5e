#include "mailauth/spf.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "mail/utf8.h"
#include "mailauth/spf_macro.h"
#include "mailauth/spf_queries.h"
#include "mailauth/spf_record.h"
#include "net/dns_answer.h"

namespace doorward::mailauth {
namespace {

using net::DnsAnswer;
using net::DnsType;

constexpr size_t kMostExchanges = 10;  // RFC 7208 §4.6.4
constexpr size_t kMostEvidence = 300;  // octets
constexpr size_t kMostTerm = 120;

enum class Match : uint8_t { no, yes, none, temperror, permerror };  // none: an included domain has no record

// Strangers' octets as they may stand in a line of ours.
std::string shown(std::string_view text, size_t most) {
  std::string result;
  for (const char c : text.substr(0, most)) result += c >= ' ' && c < 0x7F ? c : '?';
  return result;
}

bool is_checkable(std::string_view name) { return name.find('.') != std::string_view::npos && !name.starts_with('['); }

class Check {
 public:
  Check(net::Core& core, net::Resolver& resolver, const SpfRequest& request, const SpfOptions& options)
      : options_(options),
        ip_(request.ip),
        queries_(core, resolver, request.ip, options.deadline, options.queries + (options.explain ? 1 : 0)) {
    const size_t at = request.sender.rfind('@');
    // A sender without a local part is the postmaster (RFC 7208 §4.3).
    if (request.sender.empty()) {
      sender_domain_ = request.helo;
    } else if (at == std::string::npos) {
      sender_domain_ = request.sender;
    } else {
      local_ = request.sender.substr(0, at);
      sender_domain_ = request.sender.substr(at + 1);
    }
    if (local_.empty()) local_ = "postmaster";
    helo_ = request.helo;
    to_a_labels(helo_);
    to_a_labels(sender_domain_);
  }

  Task<SpfOutcome> run();

 private:
  // RFC 8616 §4: names are A-labels wherever SPF sees them. What cannot be encoded stays, and matches nothing.
  static void to_a_labels(std::string& name) {
    if (mail::is_ascii(name)) return;
    if (std::string encoded = spf_query_name(name); !encoded.empty()) name = std::move(encoded);
  }

  Task<Result> check_host(std::string domain, bool included);
  Task<Result> redirected(std::string_view spec, std::string domain, bool included);
  Task<Match> evaluate(const SpfTerm& term, const std::string& domain);
  Task<Match> match_addresses(const SpfTerm& term, std::string name);
  Task<Match> match_exchanges(const SpfTerm& term, std::string name);
  Task<Match> match_pointers(std::string name);
  Task<Match> match_exists(std::string name);
  Task<Match> match_include(std::string name);
  Task<std::string> target(std::string_view spec, const std::string& domain);
  Task<std::string> explanation(std::string_view spec, std::string domain);

  SpfMacroValues values(std::string_view domain, std::string_view validated) const {
    return {local_, sender_domain_, domain, helo_, validated, options_.receiver, ip_, options_.now};
  }
  // RFC 8616 §4: terms with a local part that no name can hold match nothing.
  bool unmatchable(std::string_view spec) const {
    if (mail::is_ascii(local_)) return false;
    const SpfMacroLetters letters(spec);
    return letters.has('l') || letters.has('s');
  }
  bool matches(const DnsAnswer& answer, const SpfTerm& term) const {
    return std::ranges::any_of(answer.addresses(), [&](const mail::IpAddress& address) {
      return address.is_v4() == ip_.is_v4() &&
             mail::Network(address, ip_.is_v4() ? 96U + term.ip4_bits : term.ip6_bits).contains(ip_);
    });
  }

  // One more term that asks the DNS; false beyond the limit.
  bool count_term() {
    if (outcome_.terms == options_.terms) return false;
    ++outcome_.terms;
    return true;
  }
  Match count_void() {
    return ++outcome_.voids > options_.voids ? too_many("lookups that came back empty") : Match::no;
  }
  Match too_many(std::string_view what) {
    note(std::string("too many ").append(what).append(" (RFC 7208 4.6.4)"));
    return Match::permerror;
  }
  // A name server did not answer; or the budget is spent, and then the record asks for too much.
  Match trouble(const DnsAnswer& answer, std::string_view name) {
    if (queries_.exhausted()) return too_many("questions to the DNS");
    outcome_.dns = true;
    note(std::string("DNS: ").append(text(answer.status)).append(" for ").append(name));
    return Match::temperror;
  }
  void note(std::string_view what) {
    if (outcome_.evidence.empty()) outcome_.evidence = shown(what, kMostEvidence);
  }
  Result decide(const SpfTerm& term, const std::string& domain, bool included);
  Result failed(Match match) const { return match == Match::temperror ? Result::temperror : Result::permerror; }

  SpfOptions options_;
  mail::IpAddress ip_;
  std::string local_, sender_domain_, helo_;
  SpfQueries queries_;
  SpfOutcome outcome_;
  std::string inner_;  // which term of an included record matched
  std::string explanation_spec_, explanation_domain_;
};

Task<SpfOutcome> Check::run() {
  outcome_.domain = spf_query_name(sender_domain_);
  outcome_.result = co_await check_host(sender_domain_, false);
  if (outcome_.result == Result::fail && options_.explain && !explanation_spec_.empty()) {
    outcome_.explanation = co_await explanation(explanation_spec_, explanation_domain_);
  }
  outcome_.queries = queries_.asked();
  if (outcome_.result != Result::temperror) outcome_.dns = false;
  co_return std::move(outcome_);
}

// check_host() of RFC 7208 §4. `included`: its result only serves an include.
Task<Result> Check::check_host(std::string domain, bool included) {
  const std::string name = spf_query_name(domain);
  if (!is_checkable(name)) {
    note("no domain name that could have a record");
    co_return Result::none;  // RFC 7208 §4.3
  }
  const DnsAnswer answer = co_await queries_.ask(name, DnsType::txt);
  if (answer.temporary()) co_return failed(trouble(answer, name));
  std::vector<std::string> texts = answer.texts();
  std::erase_if(texts, [](const std::string& one) { return !is_spf_record(one); });
  if (texts.empty()) {
    if (!included) note("no record at " + domain);
    co_return Result::none;
  }
  if (!included) outcome_.record_domain = name;
  if (texts.size() > 1) {
    note("several records at " + domain);
    co_return Result::permerror;  // RFC 7208 §4.5
  }
  const auto record = parse_spf_record(texts.front());
  if (!record) {
    note(record.error() + " in the record of " + domain);
    co_return Result::permerror;
  }
  for (const SpfTerm& term : record->terms) {
    const Match match = co_await evaluate(term, domain);
    if (match == Match::no) continue;
    if (match != Match::yes) {
      if (!included) outcome_.mechanism = shown(term.text, kMostTerm);
      if (match == Match::none) note(std::string(term.text) + " of " + domain + " has no record (RFC 7208 5.2)");
      co_return failed(match);
    }
    if (!included && term.qualifier == Result::fail) {
      explanation_spec_ = record->explanation;
      explanation_domain_ = domain;
    }
    co_return decide(term, domain, included);
  }
  if (!record->redirect.empty()) co_return co_await redirected(record->redirect, domain, included);
  if (!included) {
    outcome_.mechanism = "default";  // RFC 7208 §4.7
    note("no term of " + domain + " matches");
  }
  co_return Result::neutral;
}

Result Check::decide(const SpfTerm& term, const std::string& domain, bool included) {
  std::string what = shown(term.text, kMostTerm) + " of " + domain;
  if (term.mechanism == SpfMechanism::include) what += ", " + inner_;
  if (included) {
    inner_ = shown(what, kMostEvidence);
  } else {
    outcome_.mechanism = shown(term.text, kMostTerm);
    outcome_.evidence.clear();
    note(what);
  }
  return term.qualifier;
}

// RFC 7208 §6.1: no record there is an error here.
Task<Result> Check::redirected(std::string_view spec, std::string domain, bool included) {
  if (!included) outcome_.mechanism = shown("redirect=" + std::string(spec), kMostTerm);
  if (!count_term()) co_return failed(too_many("terms that ask the DNS"));
  std::string expanded;
  if (!unmatchable(spec)) expanded = co_await target(spec, domain);
  const Result result = co_await check_host(std::move(expanded), included);
  if (result != Result::none) co_return result;
  outcome_.evidence.clear();
  note("redirect=" + std::string(spec) + " of " + domain + " has no record (RFC 7208 6.1)");
  co_return Result::permerror;
}

Task<Match> Check::evaluate(const SpfTerm& term, const std::string& domain) {
  switch (term.mechanism) {
    case SpfMechanism::all:
      co_return Match::yes;
    case SpfMechanism::ip4:
    case SpfMechanism::ip6: {
      const bool v4 = term.mechanism == SpfMechanism::ip4;
      co_return v4 == ip_.is_v4() && term.network.contains(ip_) ? Match::yes : Match::no;
    }
    default:
      break;
  }
  if (!count_term()) co_return too_many("terms that ask the DNS");
  if (unmatchable(term.domain_spec)) co_return Match::no;
  std::string expanded = domain;
  if (!term.domain_spec.empty()) expanded = co_await target(term.domain_spec, domain);
  if (queries_.exhausted()) co_return too_many("questions to the DNS");
  if (term.mechanism == SpfMechanism::include) co_return co_await match_include(std::move(expanded));
  std::string name = spf_query_name(expanded);
  // What no name can be made of has no records; nobody was asked for them, hence not void either.
  if (name.empty()) co_return Match::no;
  switch (term.mechanism) {
    case SpfMechanism::a:
      co_return co_await match_addresses(term, std::move(name));
    case SpfMechanism::mx:
      co_return co_await match_exchanges(term, std::move(name));
    case SpfMechanism::ptr:
      co_return co_await match_pointers(std::move(name));
    default:
      co_return co_await match_exists(std::move(name));
  }
}

// RFC 7208 §5.3.
Task<Match> Check::match_addresses(const SpfTerm& term, std::string name) {
  const DnsAnswer answer = co_await queries_.ask_addresses(name);
  if (answer.temporary()) co_return trouble(answer, name);
  if (!answer.found()) co_return count_void();
  co_return matches(answer, term) ? Match::yes : Match::no;
}

// RFC 7208 §5.4. The addresses are asked for at once and looked at in order, so that a failure counts only where no
// exchange before it matches.
Task<Match> Check::match_exchanges(const SpfTerm& term, std::string name) {
  const DnsAnswer answer = co_await queries_.ask(name, DnsType::mx);
  if (answer.temporary()) co_return trouble(answer, name);
  if (!answer.found()) co_return count_void();
  std::vector<net::MailExchange> exchanges = answer.exchanges();
  if (exchanges.size() > kMostExchanges) co_return too_many("mail exchanges");
  std::ranges::sort(exchanges, {}, &net::MailExchange::preference);
  std::vector<std::string> names;
  for (net::MailExchange& one : exchanges) {
    if (!one.exchange.empty()) names.push_back(std::move(one.exchange));  // the null MX has no addresses
  }
  const std::vector<DnsAnswer> answers = co_await queries_.ask_addresses(names);
  bool found = false;
  for (size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].temporary()) co_return trouble(answers[i], names[i]);
    if (matches(answers[i], term)) co_return Match::yes;
    found = found || answers[i].found();
  }
  // The limit counts terms, not questions: a term is void where all that it asked for was.
  co_return found || answers.empty() ? Match::no : count_void();
}

// RFC 7208 §5.5: whatever fails in the DNS is no match.
Task<Match> Check::match_pointers(std::string name) {
  const bool found = co_await queries_.validated_below(std::move(name));
  if (queries_.exhausted()) co_return too_many("questions to the DNS");
  if (found) co_return Match::yes;
  co_return queries_.pointers_void() ? count_void() : Match::no;
}

// RFC 7208 §5.7: A, also for clients with IPv6.
Task<Match> Check::match_exists(std::string name) {
  const DnsAnswer answer = co_await queries_.ask(name, DnsType::a);
  if (answer.temporary()) co_return trouble(answer, name);
  co_return answer.found() ? Match::yes : count_void();
}

// RFC 7208 §5.2.
Task<Match> Check::match_include(std::string name) {
  switch (co_await check_host(std::move(name), true)) {
    case Result::pass:
      co_return Match::yes;
    case Result::fail:
    case Result::softfail:
    case Result::neutral:
      co_return Match::no;
    case Result::temperror:
      co_return Match::temperror;
    case Result::none:
      co_return Match::none;
    default:
      co_return Match::permerror;
  }
}

// What a domain-spec comes to: any octets.
Task<std::string> Check::target(std::string_view spec, const std::string& domain) {
  std::string validated;
  if (spec.find('%') != std::string_view::npos && SpfMacroLetters(spec).has('p')) {
    validated = co_await queries_.validated_name(spf_query_name(domain));
  }
  co_return expand_domain(spec, values(domain, validated));
}

// RFC 7208 §6.2: exactly one record, of the right form, else there is none. What it takes counts against no limit but
// the number of questions.
Task<std::string> Check::explanation(std::string_view spec, std::string domain) {
  if (unmatchable(spec)) co_return std::string();
  const std::string expanded = co_await target(spec, domain);
  const DnsAnswer answer = co_await queries_.ask(spf_query_name(expanded), DnsType::txt);
  const std::vector<std::string> texts = answer.texts();
  if (texts.size() != 1) co_return std::string();
  std::string validated;
  if (SpfMacroLetters(texts.front()).has('p')) validated = co_await queries_.validated_name(spf_query_name(domain));
  co_return expand_explanation(texts.front(), values(domain, validated)).value_or(std::string());
}

}  // namespace

Task<SpfOutcome> check_spf(net::Core& core, net::Resolver& resolver, SpfRequest request, SpfOptions options) {
  Check check(core, resolver, request, options);
  SpfOutcome outcome = co_await check.run();
  co_return outcome;
}

}  // namespace doorward::mailauth
