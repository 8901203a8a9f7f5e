// The phases up to the data: connection, greeting, sender, recipients.
#include "gateway/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "gateway/answer.h"

namespace doorward::gateway {

Task<smtp::Reply> Session::connected(const mail::Client&) { co_return smtp::Reply(220, "Doorward"); }

Task<smtp::Reply> Session::hello(const mail::Client&) { co_return smtp::Reply(250, gateway_.options().host_name); }

Task<smtp::Reply> Session::mail(const mail::Client&, const mail::Envelope&) {
  transaction_.emplace();
  transaction_->snapshot = gateway_.snapshot();
  co_return smtp::Reply(250, {2, 1, 0}, "Sender OK");
}

Task<smtp::Reply> Session::rcpt(const mail::Client& client, const mail::Envelope& envelope,
                                const mail::Recipient& recipient) {
  mail::Recipient wanted = recipient;
  if (wanted.mailbox.domain.empty() && gateway_.options().postmaster) wanted.mailbox = *gateway_.options().postmaster;
  auto taken = take_recipient(*transaction_->snapshot, sheet::Direction::inbound, client, envelope, wanted);
  if (!taken) {
    log::info("rcpt.refused", {{"id", envelope.id},
                               {"ip", client.ip.text()},
                               {"sender", envelope.from.text()},
                               {"recipient", recipient.mailbox.text()},
                               {"code", taken.error().code},
                               {"reply", taken.error().lines.front()}});
    co_return with_reference(std::move(taken.error()), envelope.id);
  }
  auto& all = transaction_->taken;
  if (!all.empty()) {
    const bool alone = gateway_.singles().contains(client.ip, envelope.from.text());
    if (alone || !go_together(all.front(), *taken, envelope.prdr)) {
      co_return smtp::Reply(452, {4, 5, 3}, "That recipient needs a transaction of its own; please send to it next");
    }
  }
  auto reply = co_await ask_backend(client, envelope, *taken);
  if (reply.positive()) all.push_back(std::move(*taken));
  co_return reply;
}

Task<smtp::Reply> Session::ask_backend(const mail::Client& client, const mail::Envelope& envelope, const Taken& taken) {
  const auto& settings = *taken.settings;
  if (!settings.backend) {
    log::error("policy.no_backend", {{"id", envelope.id}, {"domain", settings.domain_name}});
    co_return with_reference(smtp::Reply(451, {4, 3, 5}, "That domain is not set up completely yet"), envelope.id);
  }
  if (!transaction_->proxy) {
    transaction_->proxy = std::make_unique<delivery::ProxyTransaction>(gateway_.pool(core_), settings.backend);
  }
  auto reply = co_await transaction_->proxy->ask(client, envelope, taken.forward);
  if (reply.positive()) co_return smtp::Reply(250, {2, 1, 5}, "Recipient OK");
  log::info("rcpt.backend_refused", {{"id", envelope.id},
                                     {"recipient", taken.forward.mailbox.text()},
                                     {"backend", settings.backend->name},
                                     {"code", reply.code}});
  co_return with_reference(std::move(reply), envelope.id);
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
  if (ended.proxy) co_await ended.proxy->abandon();
}

Task<void> Session::closed() { co_await reset(); }

}  // namespace doorward::gateway
