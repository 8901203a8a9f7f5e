#include "gateway/exchange.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "filter/level_of_trust.h"
#include "filter/shown_address.h"
#include "mail/ascii.h"

namespace doorward::gateway {
namespace {

using Kind = trust::ReceivedMail::Kind;

bool has_stop_word(const policy::Settings& settings, const std::string& subject) {
  const std::string lowered = mail::lowered(subject);
  return std::ranges::any_of(settings.trust_stop_words,
                             [&](const std::string& words) { return lowered.contains(words); });
}

// A customer's user wrote, and the mail was found clean for all.
void note_sent(Learner& learner, const Mail& mail, std::span<const Group> groups, const sheet::ScoreSheet& sheet,
               SystemTime now) {
  const bool clean = std::ranges::all_of(sheet.groups, [](const auto& verdict) {
    return verdict.klass == sheet::Class::clean && verdict.reply_code == 250;
  });
  if (!clean || groups.empty() || filter::is_automatic(mail.envelope, mail.message)) return;
  trust::SentMail sent;
  sent.customer = groups.front().settings->customer;
  sent.subject = mail.message.subject();
  if (has_stop_word(*groups.front().settings, sent.subject)) return;
  sent.senders.push_back(mail.envelope.from.mailbox.key());
  if (const auto author = filter::author_of(mail.message); author && author->address != sent.senders.front()) {
    sent.senders.push_back(author->address);
  }
  for (const auto& recipient : mail.envelope.recipients) {
    sent.recipients.push_back(filter::correspondent(recipient.mailbox.key()));
  }
  sent.message_id = mail.message.headers().unfolded("Message-ID");
  learner.note(std::move(sent), now);
}

// Whether the mail would have been taken without trust: what trust alone let in must not build more of it.
bool is_good_by_itself(const sheet::ScoreSheet& sheet, const sheet::GroupVerdict& verdict) {
  auto others = verdict.priced.total;
  for (size_t i = 0; i < sheet.findings.size(); ++i) {
    if (verdict.priced.counted[i] && sheet.findings[i].filter == "level_of_trust") others += -verdict.priced.points[i];
  }
  return verdict.klass == sheet::Class::clean && others.value() < verdict.threshold + 1;
}

// What the mail was to that group; none: it says nothing.
std::optional<Kind> kind_of(const sheet::ScoreSheet& sheet, const sheet::GroupVerdict& verdict, bool proven) {
  if (verdict.reply_code / 100 == 4 || verdict.bypassed) return std::nullopt;
  const bool bad = verdict.klass == sheet::Class::spam || verdict.klass == sheet::Class::virus;
  if (bad && proven) return Kind::spam;
  if (bad && verdict.disposition != sheet::Disposition::deliver) return Kind::unproven_refused;
  if (!bad && proven && is_good_by_itself(sheet, verdict)) return Kind::good;
  return std::nullopt;
}

void note_received(Learner& learner, const Mail& mail, std::span<const Group> groups, const sheet::ScoreSheet& sheet,
                   SystemTime now) {
  const auto author = filter::author_of(mail.message);
  if (!author) return;
  const auto domain = std::string_view(author->address).substr(author->address.rfind('@') + 1);
  const bool proven = mail.facts.proves(domain);
  if (!proven && !filter::cannot_prove_himself(mail.facts, domain)) return;
  // One mail says one thing to a customer, however many groups of its recipients had it; where they do not agree, rules
  // made the difference.
  std::map<uint64_t, std::pair<std::optional<Kind>, std::vector<std::string>>> customers;
  for (size_t i = 0; i < groups.size(); ++i) {
    if (!is_filtered(groups[i], now)) continue;
    const auto kind = kind_of(sheet, sheet.groups[i], proven);
    auto [at, is_first] = customers.try_emplace(groups[i].settings->customer, kind, groups[i].addresses);
    if (is_first) continue;
    auto& [known, addresses] = at->second;
    if (known != kind) known.reset();
    addresses.insert(addresses.end(), groups[i].addresses.begin(), groups[i].addresses.end());
  }
  const bool bulk = filter::is_bulk(mail.message);
  const bool automatic = filter::is_automatic(mail.envelope, mail.message);
  for (auto& [customer, said] : customers) {
    auto& [kind, addresses] = said;
    if (!kind || (*kind == Kind::good && automatic && !bulk)) continue;
    constexpr size_t kMost = 100;
    if (addresses.size() > kMost) addresses.resize(kMost);
    learner.note(trust::ReceivedMail{.kind = *kind,
                                     .bulk = bulk,
                                     .customer = customer,
                                     .recipients = std::move(addresses),
                                     .sender = *author,
                                     .client = mail.client.ip},
                 now);
  }
}

}  // namespace

void note_exchange(Learner& learner, const Mail& mail, std::span<const Group> groups, const sheet::ScoreSheet& sheet,
                   SystemTime now) {
  if (mail.direction == sheet::Direction::outbound) {
    note_sent(learner, mail, groups, sheet, now);
  } else {
    note_received(learner, mail, groups, sheet, now);
  }
}

}  // namespace doorward::gateway
