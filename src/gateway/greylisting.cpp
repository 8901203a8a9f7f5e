#include "gateway/greylisting.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/metrics.h"
#include "filter/list_questions.h"
#include "filter/shown_address.h"

namespace doorward::gateway {
namespace {

using mailauth::Result;

bool is_trusted(const sheet::Findings& findings, const sheet::GroupVerdict& verdict) {
  sheet::Points sum{};
  for (size_t i = 0; i < findings.size(); ++i) {
    if (verdict.priced.counted[i] && findings[i].filter == "level_of_trust") sum += verdict.priced.points[i];
  }
  return sum < sheet::Points{};
}

std::string domain_origin(const std::string& domain) {
  const std::string registered = filter::registered_domain(domain);
  return "domain:" + (registered.empty() ? domain : registered);
}

std::string network_origin(const mail::IpAddress& ip) {
  constexpr unsigned kV4 = 96 + 24, kV6 = 64;
  const unsigned prefix = ip.is_v4() ? kV4 : kV6;
  auto bytes = ip.bytes();
  std::fill(bytes.begin() + prefix / 8, bytes.end(), 0);
  return "network:" + mail::Network(mail::IpAddress::v6(bytes), prefix).text();
}

// Pools of many servers are one sender: by the domain that they prove, else by that of their confirmed name.
std::string origin_of(const Mail& mail) {
  if (const auto& of = mail.facts.authentication) {
    const auto author = filter::first_address(mail.message.headers().text("From"));
    if (mail.facts.proves(author.domain())) return domain_origin(std::string(author.domain()));
    if (of->spf.result == Result::pass) return domain_origin(of->spf.domain);
    for (const auto& signature : of->dkim.signatures) {
      if (signature.result == Result::pass) return domain_origin(signature.domain);
    }
    if (of->iprev.result == Result::pass) {
      const std::string owner = filter::registered_domain(of->iprev.name);
      if (!owner.empty()) return "host:" + owner;
    }
  }
  return network_origin(mail.client.ip);
}

metrics::Counter& counted(trust::Greylist::Standing standing) {
  const auto made = [](std::string_view outcome) {
    return &metrics::counter("doorward_greylist_total", "Mails that greylisting looked at, by what came of it.",
                             {{"outcome", outcome}});
  };
  static metrics::Counter* const put_off = made("put_off");
  static metrics::Counter* const too_early = made("too_early");
  static metrics::Counter* const came_again = made("came_again");
  static metrics::Counter* const known = made("known");
  switch (standing) {
    case trust::Greylist::Standing::unknown:
      return *put_off;
    case trust::Greylist::Standing::waits:
      return *too_early;
    case trust::Greylist::Standing::came_again:
      return *came_again;
    case trust::Greylist::Standing::known:
      break;
  }
  return *known;
}

}  // namespace

std::optional<std::chrono::minutes> greylisting_delay(const Mail& mail, const Group& group,
                                                      const sheet::GroupVerdict& verdict,
                                                      const sheet::Findings& findings, SystemTime now) {
  const auto& settings = *group.settings;
  const bool applies = mail.direction == sheet::Direction::inbound && is_filtered(group, now) && !group.never_refused &&
                       settings.operation == policy::Operation::normal;
  if (!applies || verdict.priced.stance == sheet::Stance::pass) return std::nullopt;
  const bool goes_on =
      verdict.disposition == sheet::Disposition::deliver || verdict.disposition == sheet::Disposition::tag;
  if (!goes_on || verdict.klass == sheet::Class::spam) return std::nullopt;
  if (mail.facts.authentication && !mail.facts.authentication->spf_asked) return std::nullopt;  // of our own networks
  if (is_trusted(findings, verdict)) return std::nullopt;
  if (settings.greylist_suspicious_from && verdict.priced.scl.level() >= *settings.greylist_suspicious_from) {
    return settings.greylist_suspicious_delay;
  }
  if (group.caught && settings.greylist_catch_all) return settings.greylist_catch_all_delay;
  return std::nullopt;
}

bool is_put_off(const trust::Greylist& greylist, Learner& learner, const Mail& mail, const Group& group,
                std::chrono::minutes delay, SystemTime now) {
  trust::Attempt attempt{.customer = group.settings->customer,
                         .origin = origin_of(mail),
                         .sender = mail.envelope.from.null ? std::string() : mail.envelope.from.mailbox.key(),
                         .recipients = group.addresses,
                         .delay = delay};
  const auto standing = greylist.look_up(attempt, now);
  counted(standing).add();
  learner.note(std::move(attempt), now);
  return standing == trust::Greylist::Standing::unknown || standing == trust::Greylist::Standing::waits;
}

}  // namespace doorward::gateway
