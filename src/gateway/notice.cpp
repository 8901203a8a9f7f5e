#include "gateway/notice.h"

#include <utility>

#include "base/log.h"
#include "delivery/notice_mail.h"
#include "filter/proven_sender.h"
#include "gateway/spooling.h"

namespace doorward::gateway {
namespace {

delivery::DsnRecipient entry(const Taken& taken, SystemTime now) {
  delivery::DsnRecipient told;
  told.address = taken.given.mailbox;  // what it was rewritten to is nobody's business
  told.orcpt = taken.given.orcpt;
  told.action = delivery::DsnAction::relayed;
  told.last_attempt = now;
  return told;
}

}  // namespace

bool may_be_told(const Taken& taken, const filter::Facts& facts, const mail::Client& client,
                 const mail::ReversePath& sender) {
  if (sender.null) return false;  // RFC 5321 §4.5.5
  return taken.direction == sheet::Direction::outbound ||
         filter::is_sender_proven(facts, taken.settings->entries, client, sender);
}

Task<void> tell_relayed(Gateway& gateway, net::Core& core, const filter::Facts& facts, const mail::Client& client,
                        const mail::Envelope& envelope, const policy::Snapshot& snapshot,
                        std::vector<const Taken*> recipients, std::string_view content) {
  const SystemTime now = gateway.parts().clock.now();
  std::vector<delivery::DsnRecipient> told;
  size_t withheld = 0;
  for (const Taken* taken : recipients) {
    if (!delivery::wants(envelope.from, taken->given.notify, delivery::DsnAction::relayed)) continue;
    if (may_be_told(*taken, facts, client, envelope.from)) {
      told.push_back(entry(*taken, now));
    } else {
      ++withheld;
    }
  }
  if (withheld != 0) {
    log::info("mail.notice_withheld",
              {{"about", envelope.id},
               {"recipients", withheld},
               {"reason", "the sender asked for it, but is not proven, and it may be backscatter"}});
  }
  if (told.empty() || gateway.parts().spool == nullptr) co_return;

  spool::Mail about = mail_of(client, envelope, sheet::Direction::inbound, now);
  spool::Recipient first;  // whose language is spoken
  first.customer = recipients.front()->settings->customer;
  about.recipients.push_back(std::move(first));
  const auto notice = delivery::notice_mail(gateway.options().notice, snapshot, about, told, content, now);
  const auto stored = co_await gateway.parts().spool->commit(core, notice.mail, notice.content);
  if (!stored) {
    log::error("relay.notice_not_stored", {{"about", envelope.id}, {"error", stored.error().text()}});
    co_return;
  }
  log::info("mail.notice", {{"id", notice.mail->id},
                            {"about", envelope.id},
                            {"recipient", notice.mail->recipients.front().to.mailbox.text()},
                            {"recipients", told.size()}});
}

}  // namespace doorward::gateway
