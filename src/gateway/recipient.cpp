#include "gateway/recipient.h"

#include <fmt/format.h>

#include "action/action.h"

namespace doorward::gateway {
namespace {

using policy::Resolved;

smtp::Reply relaying_denied() { return {550, {5, 7, 1}, "Relaying denied: that domain is not served here"}; }
smtp::Reply no_such_mailbox() { return {550, {5, 1, 1}, "No such mailbox here"}; }

// "%", "!" and "@" in a local part are routing tricks of old (RFC 5321 §F.2 and RFC 1123 §5.2.16): some backends still
// follow them, and would relay what we let in.
bool asks_to_be_sent_on(const mail::Mailbox& mailbox) {
  return mailbox.local.find_first_of("%!@") != std::string::npos;
}

bool is_role(const mail::Mailbox& mailbox) {
  const auto key = mailbox.key();
  return key.starts_with("postmaster@") || key.starts_with("abuse@");
}

smtp::Reply foreign_sender() {
  return {550, {5, 7, 1}, "That sender is not in a domain of yours, as this server knows them"};
}

// Mail to the world: from a customer's own server, in the name of one of its domains.
std::expected<Taken, smtp::Reply> take_outbound(const policy::Snapshot& snapshot, const mail::Client& client,
                                                const mail::Envelope& envelope, const mail::Recipient& recipient) {
  const auto customer = snapshot.outbound(client.ip);
  if (!customer || recipient.mailbox.domain.empty()) return std::unexpected(relaying_denied());
  if (!envelope.from.null && !customer->any_sender) {
    const auto domain = snapshot.domain(envelope.from.mailbox.domain);
    if (!domain || domain->customer != customer->customer) return std::unexpected(foreign_sender());
  }
  Taken taken;
  taken.direction = sheet::Direction::outbound;
  taken.settings = customer;
  taken.given = taken.forward = recipient;
  taken.listed = true;
  const auto sender = envelope.from.null ? std::string("<>") : envelope.from.mailbox.key();
  taken.rule = &snapshot.rule_for(*customer, taken.direction, client.ip, sender, recipient.mailbox.key());
  if (taken.rule->mode == policy::RuleMode::reject) {
    return std::unexpected(smtp::Reply(550, {5, 7, 1}, "Your administrator's rules do not let this mail out"));
  }
  return taken;
}

// Whether a verdict may end in a refusal after the data.
bool may_refuse(const Taken& taken) {
  if (taken.never_refused || taken.unfiltered || taken.settings->operation == policy::Operation::observe) return false;
  const auto& settings = *taken.settings;
  if (settings.greylist_suspicious_from || (taken.caught && settings.greylist_catch_all)) return true;
  const auto& outcomes = settings.outcomes;
  for (size_t klass = 0; klass < outcomes.size(); ++klass) {
    if (static_cast<sheet::Class>(klass) == sheet::Class::sanity) continue;  // of the mail, and so for all alike
    if (outcomes[klass] == sheet::Disposition::refuse || outcomes[klass] == sheet::Disposition::defer) return true;
  }
  return false;
}

struct Acted {
  mail::Mailbox mailbox;
  bool unfiltered = false;
};

Acted act_on(const action::Settings& settings, const mail::Mailbox& mailbox) {
  action::RecipientOutcome outcome{mailbox, {}};
  for (const auto* action : action::all()) {
    if (action->info().phase == action::Phase::recipient) action->on_recipient(settings, outcome);
  }
  Acted acted{outcome.mailbox, false};
  for (const auto& effect : outcome.effects) acted.unfiltered |= effect.kind == action::Effect::Kind::pass_unfiltered;
  return acted;
}

// One customer's rewriting leads to a mailbox of another: what the first one waives for its own mail, it cannot waive
// for theirs.
void enter_another_customer(Taken& taken, const mail::Mailbox& mailbox) {
  if (taken.unfiltered) taken.given.mailbox = mailbox;  // the suffix stays a secret: named()
  taken.unfiltered = false;
  taken.never_refused = is_role(mailbox);
}

}  // namespace

Group Taken::group() const {
  Group made;
  made.settings = settings;
  made.rule = rule;
  made.unfiltered = unfiltered;
  made.never_refused = never_refused;
  made.caught = caught;
  made.recipients.push_back(given.mailbox.text());
  made.addresses.push_back(given.mailbox.key());
  if (std::string behind = forward.mailbox.key(); behind != made.addresses.front()) {
    made.addresses.push_back(std::move(behind));
  }
  return made;
}

std::expected<Taken, smtp::Reply> take_recipient(const policy::Snapshot& snapshot, const mail::Client& client,
                                                 const mail::Envelope& envelope, const mail::Recipient& recipient,
                                                 SystemTime now) {
  auto resolved = snapshot.resolve(recipient.mailbox);
  if (resolved.kind == Resolved::Kind::unknown_domain) return take_outbound(snapshot, client, envelope, recipient);
  Taken taken;
  taken.given = recipient;
  taken.forward = recipient;
  taken.never_refused = is_role(recipient.mailbox);

  // The secret suffix and rewriting may make a known mailbox of an unknown one; what they yield is looked up once more.
  if (resolved.settings) {
    const auto acted = act_on(resolved.settings->actions, recipient.mailbox);
    taken.unfiltered = acted.unfiltered;
    if (!(acted.mailbox == recipient.mailbox)) {
      resolved = snapshot.resolve(acted.mailbox);
      if (resolved.kind == Resolved::Kind::unknown_domain) return std::unexpected(relaying_denied());
    }
  }
  if (resolved.kind != Resolved::Kind::ours || !resolved.settings) return std::unexpected(no_such_mailbox());
  if ((!resolved.listed || resolved.tagged) && asks_to_be_sent_on(resolved.mailbox)) {
    return std::unexpected(relaying_denied());
  }
  const auto home = snapshot.domain(recipient.mailbox.domain);
  if (home && home->customer != resolved.settings->customer) enter_another_customer(taken, resolved.mailbox);

  taken.settings = resolved.settings;
  taken.listed = resolved.listed;
  taken.caught = resolved.caught;
  taken.forward.mailbox = resolved.mailbox;
  const auto sender = envelope.from.null ? std::string("<>") : envelope.from.mailbox.key();
  taken.rule = &snapshot.rule_for(*taken.settings, taken.direction, client.ip, sender, resolved.mailbox.key());
  if (taken.rule->mode == policy::RuleMode::reject && !taken.never_refused &&
      taken.settings->operation != policy::Operation::observe && !taken.settings->bypassed(now)) {
    return std::unexpected(smtp::Reply(550, {5, 7, 1}, "The recipient does not take mail from this sender"));
  }
  return taken;
}

bool decide_alike(const Taken& one, const Taken& other) {
  return one.settings == other.settings && one.rule == other.rule && one.unfiltered == other.unfiltered &&
         one.never_refused == other.never_refused && one.caught == other.caught;
}

bool go_together(const Taken& first, const Taken& next, bool prdr) {
  if (first.direction != next.direction || first.is_relayed() != next.is_relayed()) return false;
  if (first.is_relayed()) {
    return first.settings->size_limit == next.settings->size_limit &&
           (prdr || decide_alike(first, next) || (!may_refuse(first) && !may_refuse(next)));
  }
  if (first.settings->backend != next.settings->backend) return false;
  if (prdr) return first.settings->size_limit == next.settings->size_limit;
  // Several last replies (LMTP) cannot be told to a client that awaits one.
  if (first.settings->backend && first.settings->backend->protocol == policy::BackendProtocol::lmtp) return false;
  return decide_alike(first, next);
}

}  // namespace doorward::gateway
