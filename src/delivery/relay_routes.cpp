// Where an attempt goes: the recipient's present backend, or its domain's hosts in their order.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "delivery/relay_attempt.h"

namespace doorward::delivery {
namespace {

using Kind = spool::Outcome::Kind;
using smtp::Reply;

spool::Destination destination(const policy::Backend& backend) {
  return {spool::Destination::Kind::backend, std::to_string(backend.id)};
}

Reply no_backend() {
  return Reply(451, {4, 3, 5}, "No mail server is set for this recipient any more; an administrator must set one");
}
Reply no_resolver() { return Reply(451, {4, 3, 5}, "Names cannot be resolved: no resolver is set up"); }
Reply no_domain() { return Reply(550, {5, 1, 2}, "The recipient's domain is not well-formed"); }

// Of the domain as the client wrote it, else as it was rewritten; where neither is protected any more, the one that the
// mail was accepted for, as long as there is such a one.
std::shared_ptr<const policy::Backend> present_backend(const policy::Snapshot& snapshot,
                                                       const spool::Recipient& recipient, const std::string& id) {
  if (const auto given = mail::parse_mailbox(recipient.given))
    if (const auto settings = snapshot.domain(given->domain); settings && settings->backend) return settings->backend;
  if (const auto settings = snapshot.domain(recipient.to.mailbox.domain); settings && settings->backend)
    return settings->backend;
  for (auto& each : snapshot.backends())
    if (std::to_string(each->id) == id) return each;
  return nullptr;
}

}  // namespace

Task<void> RelayAttempt::run_backend() {
  const std::shared_ptr<const policy::Snapshot> snapshot = parts_.snapshot();
  std::shared_ptr<const policy::Backend> host;
  for (size_t i = 0; i < answers_.size(); ++i) {
    auto present = present_backend(*snapshot, recipient(i), job_.destination.name);
    if (present == nullptr) {
      log::error("relay.no_backend", {{"id", job_.mail->id},
                                      {"recipient", recipient(i).to.mailbox.text()},
                                      {"destination", job_.destination.name}});
      settle(i, Meaning{Kind::retry, no_backend()}, no_backend());
      dead_ = true;
    } else if (std::to_string(present->id) != job_.destination.name) {
      reroute(i, destination(*present));
    } else {
      host = std::move(present);
    }
  }
  if (host != nullptr) co_await through(hosts_.patient(host), NextHop::backend);
}

Task<void> RelayAttempt::run_mx() {
  auto domain = mail::parse_domain(job_.destination.name);
  if (!domain) {
    answer_all(Kind::failed, no_domain());
    co_return;
  }
  const std::shared_ptr<const policy::Snapshot> snapshot = parts_.snapshot();
  if (const auto settings = snapshot->domain(*domain); settings && settings->backend) {
    // Ours by now: asking the DNS would lead back to ourselves.
    for (size_t i = 0; i < answers_.size(); ++i) reroute(i, destination(*settings->backend));
    co_return;
  }
  if (parts_.resolver == nullptr) {
    dead_ = true;
    note(Meaning{Kind::retry, no_resolver()}, no_resolver());
    co_return;
  }
  std::optional<RoutesFound> routes_found;
  {
    const Looking looking(stop_.looking);
    routes_found = co_await find_routes(core_, *parts_.resolver, std::move(*domain), options_.mx);
  }
  give_up_if_stopping();
  if (cancelled_) co_return;
  const RoutesFound& routes = *routes_found;
  if (!routes) {
    const Reply& why = routes.error();
    if (why.permanent()) {
      answer_all(Kind::failed, why);
    } else {
      dead_ = true;
      note(Meaning{Kind::retry, why}, why);
    }
    co_return;
  }
  for (const Target& target : routes->targets) {
    // RFC 8689 §4.2.1: who the host is must be known for sure. (MTA-STS would do as well as DNSSEC.)
    if (envelope_.require_tls && !target.authenticated) {
      refused_ = Meaning{Kind::failed, requiretls_not_supported()};
      refused_words_ = refused_->told;
      refused_remote_ = target.host;
      continue;
    }
    const Next next = co_await through(hosts_.of(target, envelope_.require_tls), NextHop::mx);
    if (next == Next::done || cancelled_ || !any_open()) co_return;
  }
  // All hosts refused, and none was merely away: that is an answer.
  if (refused_ && !wanting_) {
    remote_ = refused_remote_;
    for (size_t i = 0; i < answers_.size(); ++i)
      if (!answers_[i].settled) settle(i, *refused_, refused_words_);
  }
}

}  // namespace doorward::delivery
