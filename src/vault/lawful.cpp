#include "vault/lawful.h"

#include <fmt/format.h>

namespace doorward::vault {
namespace {

std::shared_ptr<const policy::Settings> settings_of(const mail::Mailbox& recipient, const policy::Snapshot& snapshot) {
  // A mailbox that is not listed (the backend was asked) has its domain's settings.
  if (auto known = snapshot.resolve(recipient); known.kind == policy::Resolved::Kind::ours) return known.settings;
  return snapshot.domain(recipient.domain);
}

}  // namespace

bool may_keep(const spool::Mail& mail, const spool::Recipient& recipient, const policy::Snapshot& snapshot) {
  std::shared_ptr<const policy::Settings> settings;
  if (mail.direction == sheet::Direction::inbound) {
    settings = settings_of(recipient.to.mailbox, snapshot);
  } else if (const auto ip = mail::IpAddress::parse(mail.client_ip)) {
    settings = snapshot.outbound(*ip);
  }
  return settings && settings->legal == policy::LegalMode::quarantine;
}

std::optional<spool::Destination> way_out(const mail::Mailbox& recipient, const policy::Snapshot& snapshot) {
  const auto settings = settings_of(recipient, snapshot);
  if (!settings || !settings->backend) return {};
  return spool::Destination{spool::Destination::Kind::backend, fmt::format("{}", settings->backend->id)};
}

}  // namespace doorward::vault
