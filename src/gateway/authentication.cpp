#include "gateway/authentication.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/metrics.h"
#include "mail/ascii.h"
#include "mail/header_address.h"

namespace doorward::gateway {
namespace {

using mailauth::Result;

constexpr size_t kForDmarc = 20;  // questions: two walks up a tree of eight, and policies

// The domains of all addresses in all From fields (RFC 9989 §5.3.1), also where an address is no valid mailbox: a mail
// program shows it all the same. Empty: of an address without one.
std::vector<std::string> authors(const mime::Message& message) {
  std::vector<std::string> domains;
  for (const mime::Header& field : message.headers().fields()) {
    if (!mail::equal_ignoring_case(field.name, "From")) continue;
    for (const auto& author : mail::parse_address_list(field.value).addresses) {
      const size_t at = author.address.rfind('@');
      std::string domain = at == std::string::npos ? std::string() : mail::lowered(author.address.substr(at + 1));
      if (std::ranges::find(domains, domain) == domains.end()) domains.push_back(std::move(domain));
    }
  }
  return domains;
}

std::string sender_of(const mail::Envelope& envelope) {
  if (envelope.from.null) return {};
  return envelope.from.mailbox.local + "@" + envelope.from.mailbox.domain.key();
}

// By check and result; the best of a mail's signatures.
void count(const filter::Authentication& found) {
  constexpr std::array<std::string_view, 5> kChecks{"iprev", "spf", "dkim", "arc", "dmarc"};
  constexpr size_t kResults = static_cast<size_t>(Result::permerror) + 1;
  static const auto counters = [&] {
    std::array<std::array<metrics::Counter*, kResults>, kChecks.size()> made{};
    for (size_t check = 0; check < kChecks.size(); ++check) {
      for (size_t result = 0; result < kResults; ++result) {
        made[check][result] =
            &metrics::counter("doorward_authentication_total", "Inbound mails, by what a check of their sender came to",
                              {{"check", kChecks[check]}, {"result", mailauth::text(static_cast<Result>(result))}});
      }
    }
    return made;
  }();
  const auto add = [&](size_t check, Result result) { counters[check][static_cast<size_t>(result)]->add(); };
  if (found.spf_asked) {
    add(0, found.iprev.result);
    add(1, found.spf.result);
    add(4, found.dmarc.result);
  }
  add(2, found.dkim.best());
  add(3, found.arc.cv);
}

template <class Outcome>
Task<bool> into(Outcome& place, Task<Outcome> check) {
  place = co_await std::move(check);
  co_return true;
}

}  // namespace

Authenticator::Authenticator(AuthenticationOptions options, std::string host_name, const Clock& clock,
                             net::Resolver* resolver, size_t cores)
    : options_(std::move(options)),
      host_name_(std::move(host_name)),
      clock_(clock),
      resolver_(resolver),
      keys_(cores) {}

bool Authenticator::is_local(const mail::IpAddress& ip) const {
  return ip.is_unspecified() ||
         std::ranges::any_of(options_.local_networks, [&](const auto& network) { return network.contains(ip); });
}

Task<filter::Authentication> Authenticator::check(net::Core& core, Inquiry mail, net::LookupLog& log, SteadyTime last) {
  filter::Authentication found;
  found.spf_asked = !is_local(mail.client.ip);
  const SystemTime now = clock_.now();
  const SteadyTime began = std::chrono::steady_clock::now();
  // DMARC comes last, and asks the author's own domain. It keeps a quarter of the time and some of the questions: else
  // whoever forges an author would only need a name server of his own that never answers.
  const SteadyTime deadline = last - (last - began) / 4;
  log.reserve(kForDmarc);
  auto* const keys = &keys_.at(core.index());

  std::vector<Task<bool>> checks;
  if (found.spf_asked) {
    mailauth::SpfRequest request{mail.client.ip, mail.client.helo, sender_of(mail.envelope)};
    checks.push_back(into(found.iprev, mailauth::check_iprev(core, log, mail.client.ip, deadline)));
    checks.push_back(into(
        found.spf, mailauth::check_spf(core, log, std::move(request),
                                       {.deadline = deadline, .explain = false, .receiver = host_name_, .now = now})));
  }
  checks.push_back(into(found.dkim, mailauth::verify_dkim(core, log, mail.signed_mail,
                                                          {.now = now, .deadline = deadline, .cache = keys})));
  checks.push_back(into(
      found.arc, mailauth::verify_arc(core, log, mail.signed_mail, {.now = now, .deadline = deadline, .cache = keys})));
  (void)co_await when_all(std::move(checks));

  log.reserve(0);
  if (found.spf_asked) {
    mailauth::DmarcRequest request{authors(mail.message), found.spf.result, found.spf.domain, {}};
    for (const auto& signature : found.dkim.signatures) {
      request.signatures.push_back({signature.result, signature.domain, signature.unsigned_octets == 0});
    }
    found.dmarc = co_await mailauth::check_dmarc(core, log, std::move(request), {.deadline = last});
  }
  static auto& seconds =
      metrics::histogram("doorward_authentication_seconds", "Time that all checks of a mail's sender took together",
                         {0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10});
  seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  count(found);
  co_return found;
}

}  // namespace doorward::gateway
