#include "gateway/centre_reports.h"

#include <algorithm>
#include <cmath>

#include "filter/file_name.h"
#include "filter/fingerprint_service.h"
#include "filter/fuzzy_checksums.h"

namespace doorward::gateway {
namespace {

// Spam by the points of all other filters: not by an entry of the customer's own, which says nothing to others.
bool is_spam_without(std::string_view filter, const sheet::Findings& findings, const sheet::GroupVerdict& verdict) {
  if (verdict.priced.stance != sheet::Stance::none) return false;
  sheet::Points rest = verdict.priced.total;
  for (size_t at = 0; at < findings.size(); ++at) {
    if (verdict.priced.counted[at] && findings[at].filter == filter) rest += -verdict.priced.points[at];
  }
  return sheet::Scl::of(rest).level() > verdict.threshold;
}

bool came_from_others(const trust::Sightings& sightings, const trust::Fingerprint& print, trust::Sender sender,
                      SystemTime now) {
  const auto seen = sightings.look_up(print, sender, now);
  return std::ranges::any_of(seen, [](const auto& one) { return !one.own && std::round(one.others) >= 1; });
}

}  // namespace

std::string reference_of(const CentreClient& centre, const Mail& mail, const trust::Fingerprint& print) {
  if (print.empty() || filter::is_report(mail.message)) return {};
  return centre.id_of(
      print, {filter::counted_sender(mail.facts, mail.envelope, mail.message), filter::has_program(mail.message)});
}

void report_to_centre(CentreClient& centre, const Mail& mail, std::span<const Group> groups,
                      const sheet::ScoreSheet& sheet, const trust::Fingerprint& print,
                      const trust::Sightings* sightings, SystemTime now) {
  if (mail.direction != sheet::Direction::inbound) return;
  bool spam = false;
  for (size_t group = 0; group < groups.size(); ++group) {
    spam = spam || (is_filtered(groups[group], now) &&
                    is_spam_without(filter::kFingerprintService, sheet.findings, sheet.groups[group]));
  }
  const auto sender = filter::counted_sender(mail.facts, mail.envelope, mail.message);
  if (!spam && (sightings == nullptr || !came_from_others(*sightings, print, sender, now))) return;
  centre.report(spam ? trust::Report::spam : trust::Report::seen, reference_of(centre, mail, print));
}

bool tell_centre(CentreClient& centre, trust::Report what, std::string_view raw) {
  const auto message = mime::Message::parse(raw);
  const auto print = trust::fingerprint_of(message);
  const mail::Client client;
  const mail::Envelope envelope;
  const filter::Facts facts;
  auto id = reference_of(centre, {message, client, envelope, sheet::Direction::inbound, facts}, print);
  if (id.empty()) return false;
  centre.report(what, std::move(id));
  return true;
}

}  // namespace doorward::gateway
