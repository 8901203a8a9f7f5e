#include "gateway/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "base/log.h"
#include "filter/filter.h"
#include "filter/fingerprint_service.h"
#include "filter/shown_address.h"

namespace doorward::gateway {
namespace {

void merge_sorted(std::vector<uint64_t>& into, std::vector<uint64_t> more) {
  into.insert(into.end(), more.begin(), more.end());
  std::sort(into.begin(), into.end());
  into.erase(std::unique(into.begin(), into.end()), into.end());
}

// The union of what the groups' tenants have set.
filter::Input input_of(const policy::Snapshot& snapshot, std::span<const Group> groups, SystemTime now) {
  filter::Input input;
  input.words = snapshot.words();
  for (const Group& group : groups) {
    if (!is_filtered(group, now)) continue;
    merge_sorted(input.word_lists, group.settings->word_lists);
    merge_sorted(input.customers, {group.settings->customer});
    for (const auto* entries : group.settings->entries) {
      if (std::find(input.entries.begin(), input.entries.end(), entries) == input.entries.end()) {
        input.entries.push_back(entries);
      }
    }
  }
  for (const uint64_t customer : input.customers) {
    if (const auto domains = snapshot.trusted_sealers(customer); !domains.empty()) {
      input.trusted_sealers.push_back({customer, domains});
    }
  }
  return input;
}

// The senders that the mail gives, as far as their domains are those of a recipient's customer.
std::vector<filter::OwnDomainClaim> claims_of(const policy::Snapshot& snapshot, const Mail& mail,
                                              const std::vector<uint64_t>& customers) {
  std::vector<filter::OwnDomainClaim> claims;
  const auto add = [&](const mail::Domain& domain) {
    const auto settings = snapshot.domain(domain);
    if (!settings || !std::ranges::binary_search(customers, settings->customer)) return;
    const auto same = [&](const auto& claim) { return claim.domain == domain.key(); };
    if (std::ranges::none_of(claims, same)) claims.push_back({settings->customer, domain.key()});
  };
  if (!mail.envelope.from.null) add(mail.envelope.from.mailbox.domain);
  const auto shown = filter::first_address(mail.message.headers().text("From"));
  if (const auto author = mail::parse_mailbox(shown.address)) add(author->domain);
  return claims;
}

void run_filters(const filter::Case& looked_at, sheet::ScoreSheet& sheet) {
  for (const auto* filter : filter::all()) {
    const auto before = sheet.findings.size();
    try {
      filter->judge(looked_at, sheet.findings);
    } catch (const std::exception& failure) {
      // A filter that cannot answer gives no points and is recorded (DESIGN §2, Failure).
      sheet.findings.resize(before);
      sheet.skipped.push_back(fmt::format("{}: {}", filter->info().name, failure.what()));
      log::error("filter.failed", {{"id", sheet.id}, {"filter", filter->info().name}, {"error", failure.what()}});
    }
  }
}

// The block that decided: of the findings that count, the first with a stance.
bool blocks_content(const sheet::Findings& findings, const sheet::Priced& priced) {
  for (size_t i = 0; i < findings.size(); ++i) {
    if (priced.counted[i] && findings[i].stance == sheet::Stance::block)
      return findings[i].symbol == "file_name_blocked";
  }
  return false;
}

// Neither a pass nor trust outweighs it (DESIGN §2, Always).
bool is_outbreak(const sheet::Findings& findings, const sheet::Priced& priced) {
  for (size_t i = 0; i < findings.size(); ++i) {
    if (priced.counted[i] && filter::is_outbreak(findings[i])) return true;
  }
  return false;
}

sheet::Class class_of(const sheet::Findings& findings, const sheet::Priced& priced, const policy::Rule& rule) {
  if (is_outbreak(findings, priced)) return sheet::Class::virus;
  if (priced.stance == sheet::Stance::block) {
    return blocks_content(findings, priced) ? sheet::Class::content : sheet::Class::spam;
  }
  if (priced.stance == sheet::Stance::pass) return sheet::Class::clean;
  return priced.scl.level() > rule.threshold ? sheet::Class::spam : sheet::Class::clean;
}

// What becomes of a mail of that class for that group.
sheet::Disposition disposition_of(sheet::Class klass, const Group& group) {
  using sheet::Disposition;
  const auto chosen = group.settings->outcomes[static_cast<size_t>(klass)];
  if (chosen == Disposition::tag || chosen == Disposition::deliver) return chosen;
  if (group.never_refused) return Disposition::deliver;
  return chosen;
}

sheet::GroupVerdict verdict_of(const Group& group, const sheet::Findings& findings, SystemTime now) {
  sheet::GroupVerdict verdict;
  verdict.recipients = group.recipients;
  verdict.customer = group.settings->customer;
  verdict.rule = group.rule->name;
  verdict.threshold = group.rule->threshold;
  if (is_filtered(group, now)) {
    verdict.priced = sheet::price(findings, {group.rule->prices, group.settings->owners});
    verdict.klass = class_of(findings, verdict.priced, *group.rule);
  } else {
    verdict.priced.points.resize(findings.size());
    verdict.priced.counted.resize(findings.size());
  }
  verdict.bypassed = group.settings->bypassed(now);
  verdict.disposition = verdict.intended = disposition_of(verdict.klass, group);
  if (group.settings->operation == policy::Operation::observe) {
    verdict.observed = true;
    verdict.disposition = sheet::Disposition::deliver;
  }
  return verdict;
}

// Whom the mail is for, customer by customer. More addresses say nothing new: they would only be looked up.
std::vector<filter::Recipients> correspondents_of(std::span<const Group> groups, SystemTime now) {
  constexpr size_t kMost = 100;
  std::vector<filter::Recipients> all;
  for (const Group& group : groups) {
    if (!is_filtered(group, now)) continue;
    const uint64_t customer = group.settings->customer;
    auto found = std::ranges::find(all, customer, &filter::Recipients::customer);
    if (found == all.end()) found = all.insert(found, {customer, {}});
    for (const auto& address : group.addresses) {
      if (found->addresses.size() < kMost) found->addresses.push_back(address);
    }
  }
  return all;
}

}  // namespace

bool is_filtered(const Group& group, SystemTime now) {
  return group.rule->mode == policy::RuleMode::check && !group.unfiltered && !group.settings->bypassed(now);
}

sheet::ScoreSheet Judge::judge(const Mail& mail, const policy::Snapshot& snapshot, std::span<const Group> groups,
                               Extracts* extracts) const {
  const auto begun = clock_.steady();
  const auto now = clock_.now();
  sheet::ScoreSheet sheet;
  sheet.id = mail.envelope.id;
  sheet.time = mail.envelope.received_at;
  sheet.direction = mail.direction;
  if (!mail.client.ip.is_unspecified()) sheet.client_ip = mail.client.ip.text();
  sheet.helo = mail.client.helo;
  sheet.sender = mail.envelope.from.text();
  sheet.subject = mail.message.subject();
  sheet.message_id = mail.message.headers().unfolded("Message-ID");
  sheet.size = mail.message.raw().size();

  if (std::any_of(groups.begin(), groups.end(), [&](const Group& group) { return is_filtered(group, now); })) {
    auto input = input_of(snapshot, groups, now);
    if (mail.direction == sheet::Direction::inbound) input.claims = claims_of(snapshot, mail, input.customers);
    Extracts own;
    auto& made = extracts != nullptr ? *extracts : own;
    if (memory_.statistics != nullptr) {
      made.features = trust::features_of(mail.message);
      input.statistics = memory_.statistics;
      input.features = &made.features;
    }
    if (memory_.sightings != nullptr) {
      if (!made.fingerprint) made.fingerprint = trust::fingerprint_of(mail.message);
      input.sightings = memory_.sightings;
      input.fingerprint = &*made.fingerprint;
    }
    if (memory_.correspondence != nullptr && mail.direction == sheet::Direction::inbound) {
      input.correspondence = memory_.correspondence;
      input.correspondents = correspondents_of(groups, now);
    }
    sheet.skipped = mail.facts.skipped;
    run_filters({mail.message, mail.client, mail.envelope, mail.direction, now, mail.facts, input}, sheet);
  }
  sheet.groups.reserve(groups.size());
  for (const Group& group : groups) sheet.groups.push_back(verdict_of(group, sheet.findings, now));
  sheet.judged_microseconds =
      static_cast<uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - begun).count());
  return sheet;
}

}  // namespace doorward::gateway
