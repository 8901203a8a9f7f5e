#include "report/destinations.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mail/ascii.h"
#include "mailauth/dmarc_walk.h"

namespace doorward::report {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = mail::to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

enum class Verdict : uint8_t { agreed, not_agreed, unknown };

// The organisational domain; none where a name server did not answer.
Task<std::optional<std::string>> organization_of(net::Core& core, net::Resolver& resolver, std::string domain,
                                                 SteadyTime deadline) {
  auto walk = co_await mailauth::start_dmarc_walk(core, resolver, std::move(domain), deadline);
  walk = co_await mailauth::finish_dmarc_walk(core, resolver, std::move(walk), deadline);
  if (walk.failure) co_return std::nullopt;
  co_return walk.organizational_domain();
}

struct Agreement {
  Verdict verdict = Verdict::not_agreed;
  std::vector<ReportAddress> instead;  // of its own rua=
};

// RFC 9990 §4, steps 2 to 9.
Task<Agreement> ask_consumer(net::Core& core, net::Resolver& resolver, std::string name, SteadyTime deadline) {
  Agreement agreement;
  if (net::dns_name(name).empty()) co_return agreement;
  const auto answer = co_await resolver.lookup(core, std::move(name), net::DnsType::txt, deadline);
  if (answer.temporary()) {
    agreement.verdict = Verdict::unknown;
    co_return agreement;
  }
  for (const auto& text : answer.texts()) {
    const auto record = mailauth::parse_dmarc_record(text);
    if (!record) continue;
    agreement.verdict = Verdict::agreed;
    for (size_t i = 0; i < record->aggregate.size(); ++i) {
      agreement.instead.push_back({record->aggregate[i], record->aggregate_limits[i]});
    }
  }
  co_return agreement;
}

class Search {
 public:
  Search(net::Core& core, net::Resolver& resolver, std::string domain, SteadyTime deadline)
      : core_(core), resolver_(resolver), domain_(std::move(domain)), deadline_(deadline) {}

  Task<Destinations> run(std::vector<ReportAddress> addresses) {
    for (const auto& address : addresses) co_await add(address);
    co_return std::move(found_);
  }

 private:
  Task<void> add(ReportAddress address) {
    auto to = mailto_address(address.uri);
    if (!to) {
      found_.refused.push_back(fmt::format("{}: not a mail address", address.uri.substr(0, 100)));
      co_return;
    }
    const std::string host = to->domain.key();
    const auto own = co_await is_own(host);
    if (own && *own) {
      take(std::move(*to), address.limit);
      co_return;
    }
    const auto agreement =
        co_await ask_consumer(core_, resolver_, fmt::format("{}._report._dmarc.{}", domain_, host), deadline_);
    // Where it could not be found out whose the host is, its word is as good.
    if (agreement.verdict == Verdict::unknown || (!own && agreement.verdict == Verdict::not_agreed)) {
      found_.incomplete = true;
      found_.refused.push_back(fmt::format("{}: the name servers of {} do not answer", to->text(), host));
    } else if (agreement.verdict == Verdict::not_agreed) {
      found_.refused.push_back(fmt::format("{}: {} has not agreed to reports about {}", to->text(), host, domain_));
    } else if (agreement.instead.empty()) {
      take(std::move(*to), address.limit);
    } else {
      take_instead(*to, agreement.instead);
    }
  }

  // The consumer may name other addresses, but at the same host: else there is to be no report at all.
  void take_instead(const mail::Mailbox& asked, const std::vector<ReportAddress>& instead) {
    std::vector<ReportDestination> named;
    for (const auto& address : instead) {
      auto to = mailto_address(address.uri);
      if (!to) continue;
      if (!(to->domain == asked.domain)) {
        found_.refused.push_back(fmt::format("{}: {} leads elsewhere", asked.text(), asked.domain.key()));
        return;
      }
      named.push_back({std::move(*to), address.limit});
    }
    for (auto& one : named) take(std::move(one.to), one.limit);
  }

  void take(mail::Mailbox to, uint64_t limit) {
    const auto same = [&to](const auto& other) { return other.to.key() == to.key(); };
    if (std::ranges::any_of(found_.verified, same)) return;
    if (found_.verified.size() >= kMostAddresses) {
      found_.refused.push_back(fmt::format("{}: more than {} addresses", to.text(), kMostAddresses));
      return;
    }
    found_.verified.push_back({std::move(to), limit});
  }

  // Whether the host is of the policy's own organisation; none where that cannot be found out.
  Task<std::optional<bool>> is_own(std::string host) {
    if (host == domain_) co_return true;
    if (!organization_) organization_ = co_await organization_of(core_, resolver_, domain_, deadline_);
    if (!*organization_) co_return std::nullopt;
    const auto theirs = co_await organization_of(core_, resolver_, std::move(host), deadline_);
    if (!theirs) co_return std::nullopt;
    co_return *theirs == **organization_;
  }

  net::Core& core_;
  net::Resolver& resolver_;
  std::string domain_;
  SteadyTime deadline_;
  std::optional<std::optional<std::string>> organization_{};  // once it was asked for
  Destinations found_{};
};

}  // namespace

std::optional<mail::Mailbox> mailto_address(std::string_view uri) {
  constexpr std::string_view kScheme = "mailto:";
  if (!mail::starts_ignoring_case(uri, kScheme)) return std::nullopt;
  uri.remove_prefix(kScheme.size());
  const auto address = percent_decoded(uri.substr(0, uri.find_first_of("?#")));  // fields of the mail are ours
  if (!address) return std::nullopt;
  auto mailbox = mail::parse_mailbox(*address, mail::Utf8::refused);
  if (!mailbox || mailbox->domain.empty() || mailbox->domain.is_literal()) return std::nullopt;
  return std::move(*mailbox);
}

Task<Destinations> find_destinations(net::Core& core, net::Resolver& resolver, std::string policy_domain,
                                     std::vector<ReportAddress> addresses, SteadyTime deadline) {
  Search search(core, resolver, std::move(policy_domain), deadline);
  co_return co_await search.run(std::move(addresses));
}

}  // namespace doorward::report
