// The phases up to the data: connection, greeting, sender, recipients.
#include "gateway/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "gateway/answer.h"
#include "gateway/sender_domain.h"

namespace doorward::gateway {
namespace {

// Groups of one transaction (PRDR): each is handed over alone, one after the other, while the client waits.
constexpr size_t kMostGroups = 20;

}  // namespace

Task<smtp::Reply> Session::connected(const mail::Client&) { co_return smtp::Reply(220, "Doorward"); }

Task<smtp::Reply> Session::hello(const mail::Client&) { co_return smtp::Reply(250, ""); }

Task<smtp::Reply> Session::mail(const mail::Client& client, const mail::Envelope& envelope) {
  transaction_.emplace();
  transaction_->snapshot = gateway_.snapshot();
  auto& refused = transaction_->refused;
  refused.id = envelope.id;
  refused.time = envelope.received_at;
  refused.client_ip = client.ip.text();
  refused.helo = client.helo;
  refused.sender = envelope.from.text();
  co_return smtp::Reply(250, {2, 1, 0}, "Sender OK");
}

Task<smtp::Reply> Session::rcpt(const mail::Client& client, const mail::Envelope& envelope,
                                const mail::Recipient& recipient) {
  mail::Recipient wanted = recipient;
  if (wanted.mailbox.domain.empty() && gateway_.options().postmaster) wanted.mailbox = *gateway_.options().postmaster;
  auto taken = take_recipient(*transaction_->snapshot, client, envelope, wanted, gateway_.parts().clock.now());
  if (!taken) co_return refuse(envelope, recipient.mailbox, std::move(taken.error()));
  auto& all = transaction_->taken;
  if (!all.empty()) {
    if (!go_together(all.front(), *taken, envelope.prdr)) {
      co_return smtp::Reply(452, {4, 5, 3}, "That recipient needs a transaction of its own; please send to it next");
    }
  }
  const bool new_group =
      std::ranges::none_of(transaction_->leaders, [&](size_t leader) { return decide_alike(all[leader], *taken); });
  if (new_group && transaction_->leaders.size() >= kMostGroups) {
    co_return smtp::Reply(452, {4, 5, 3}, "The recipients differ too much for one transaction; please send to it next");
  }
  if (auto doubt = co_await doubt_sender(client, envelope, *taken)) {
    co_return refuse(envelope, taken->named(), std::move(*doubt));
  }
  auto reply = taken->is_relayed() ? co_await verify(envelope, *taken) : co_await ask_backend(client, envelope, *taken);
  if (reply.positive()) {
    if (new_group) transaction_->leaders.push_back(all.size());
    all.push_back(std::move(*taken));
  }
  co_return reply;
}

// The sanity phase: as soon as there is a recipient whose tenant wants to know, and once a transaction.
Task<std::optional<smtp::Reply>> Session::doubt_sender(const mail::Client& client, const mail::Envelope& envelope,
                                                       const Taken& taken) {
  const auto& authenticator = gateway_.authenticator();
  const auto& settings = *taken.settings;
  const bool wanted = taken.direction == sheet::Direction::inbound && settings.sender_domain &&
                      taken.rule->mode == policy::RuleMode::check && !taken.unfiltered && !taken.never_refused &&
                      settings.operation == policy::Operation::normal;
  if (!wanted || envelope.from.null || envelope.from.mailbox.domain.is_literal()) co_return std::nullopt;
  if (!authenticator.is_on() || authenticator.is_local(client.ip)) co_return std::nullopt;
  auto& known = transaction_->sender_doubt;
  if (!known) {
    const auto begun = std::chrono::steady_clock::now();
    known = co_await doubt_sender_domain(core_, *gateway_.parts().resolver, envelope.from.mailbox.domain.key(),
                                         authenticator.deadline());
    transaction_->waited_for_names = std::chrono::steady_clock::now() - begun;
  }
  const bool in_doubt = *known && (*known)->transient();
  if (in_doubt && !settings.defer_on_dns_failure) co_return std::nullopt;
  co_return *known;
}

Task<smtp::Reply> Session::ask_backend(const mail::Client& client, const mail::Envelope& envelope, const Taken& taken) {
  const auto& settings = *taken.settings;
  if (!settings.backend) {
    log::error("policy.no_backend", {{"id", envelope.id}, {"domain", settings.domain_name}});
    co_return with_reference(smtp::Reply(451, {4, 3, 5}, "That domain is not set up completely yet"), envelope.id);
  }
  // Another backend comes up only while none has taken a recipient: see go_together().
  if (transaction_->backend != settings.backend) {
    transaction_->backend = settings.backend;
    transaction_->proxy = std::make_unique<delivery::ProxyTransaction>(gateway_.pool(core_), settings.backend);
  }
  auto reply = co_await transaction_->proxy->ask(client, envelope, taken.forward);
  if (reply.positive()) co_return smtp::Reply(250, {2, 1, 5}, "Recipient OK");
  co_return refuse(envelope, taken.named(), std::move(reply));
}

// Relay mode: there must be room for the mail, and the recipient must exist (DESIGN §2: a bounce would be backscatter).
Task<smtp::Reply> Session::verify(const mail::Envelope& envelope, const Taken& taken) {
  const auto& parts = gateway_.parts();
  if (parts.spool == nullptr || (taken.direction == sheet::Direction::inbound && !taken.settings->backend)) {
    log::error("policy.no_backend", {{"id", envelope.id}, {"domain", taken.settings->domain_name}});
    co_return with_reference(smtp::Reply(451, {4, 3, 5}, "That domain is not set up completely yet"), envelope.id);
  }
  if (!parts.spool->has_room(envelope.declared_size.value_or(0))) {
    co_return refuse(envelope, taken.named(),
                     smtp::Reply(452, {4, 3, 1}, "No room for mail at present, try again later"));
  }
  if (taken.direction == sheet::Direction::inbound) {
    auto known = co_await parts.recipients->check(gateway_.pool(core_), taken.settings->backend, taken.forward.mailbox,
                                                  taken.listed);
    if (!known.reply.positive()) co_return refuse(envelope, taken.named(), std::move(known.reply));
  }
  co_return smtp::Reply(250, {2, 1, 5}, "Recipient OK");
}

// A refusal carries a reference, and the reference leads to a sheet.
smtp::Reply Session::refuse(const mail::Envelope& envelope, const mail::Mailbox& recipient, smtp::Reply reply) {
  constexpr size_t kMostKept = 50;
  reply = with_reference(std::move(reply), envelope.id);
  auto& refused = transaction_->refused;
  log::info("rcpt.refused", {{"id", envelope.id},
                             {"ip", refused.client_ip},
                             {"sender", refused.sender},
                             {"recipient", recipient.text()},
                             {"code", reply.code},
                             {"reply", reply.lines.front()}});
  if (refused.groups.size() < kMostKept) {
    sheet::GroupVerdict verdict;
    verdict.recipients.push_back(recipient.text());
    verdict.klass = sheet::Class::sanity;
    verdict.disposition = reply.permanent() ? sheet::Disposition::refuse : sheet::Disposition::defer;
    verdict.reply_code = reply.code;
    verdict.reply_text = reply.lines.front();
    refused.groups.push_back(std::move(verdict));
  }
  return reply;
}

void Session::store(sheet::ScoreSheet sheet) {
  if (gateway_.parts().archive != nullptr) gateway_.parts().archive->add(std::move(sheet));
}

uint64_t Session::size_limit() const {
  uint64_t limit = UINT64_MAX;
  if (transaction_) {
    for (const auto& taken : transaction_->taken) limit = std::min(limit, taken.settings->size_limit);
  }
  return limit;
}

Task<void> Session::reset() {
  if (!transaction_) co_return;
  auto ended = std::move(*transaction_);
  transaction_.reset();
  if (!ended.refused.groups.empty()) store(std::move(ended.refused));
  if (ended.proxy) co_await ended.proxy->abandon();
}

Task<void> Session::closed() { co_await reset(); }

}  // namespace doorward::gateway
