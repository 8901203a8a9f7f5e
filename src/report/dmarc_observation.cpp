#include "report/dmarc_observation.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "mail/ascii.h"

namespace doorward::report {
namespace {

using mailauth::DmarcPolicy;
using mailauth::Result;

constexpr size_t kMostName = 255;

// Names of strangers: what could be no name is not told.
std::string name(std::string_view text) {
  const bool fine = text.size() <= kMostName &&
                    std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F && c != '<' && c != '&'; });
  return fine ? std::string(text) : std::string();
}

DmarcPublished published(const mailauth::DmarcOutcome& dmarc) {
  const mailauth::DmarcRecord& record = *dmarc.record;
  const DmarcPolicy policy = record.malformed_policy ? DmarcPolicy::none : record.policy.value_or(DmarcPolicy::none);
  const DmarcPolicy below = record.subdomains.value_or(policy);
  DmarcPublished told;
  told.domain = dmarc.policy_domain;
  told.p = mailauth::text(policy);
  told.sp = mailauth::text(below);
  told.np = mailauth::text(record.nonexistent.value_or(below));
  told.adkim = record.strict_dkim ? "s" : "r";
  told.aspf = record.strict_spf ? "s" : "r";
  told.testing = record.testing;
  const auto& wanted = record.failure_options;
  for (const auto& [on, letter] :
       {std::pair{wanted.all_fail, '0'}, {wanted.any_fail, '1'}, {wanted.dkim, 'd'}, {wanted.spf, 's'}}) {
    if (!on) continue;
    if (!told.fo.empty()) told.fo += ':';
    told.fo += letter;
  }
  return told;
}

// Those that mail can go to: other schemes are for others.
std::vector<ReportAddress> addresses(const mailauth::DmarcRecord& record) {
  constexpr size_t kLongest = 400;  // an address has 254 octets at most
  std::vector<ReportAddress> told;
  for (size_t i = 0; i < record.aggregate.size() && told.size() < kMostAddresses; ++i) {
    const std::string& uri = record.aggregate[i];
    if (uri.size() > kLongest || !mail::starts_ignoring_case(uri, "mailto:")) continue;
    told.push_back({uri, i < record.aggregate_limits.size() ? record.aggregate_limits[i] : 0});
  }
  return told;
}

bool has_finding(const sheet::ScoreSheet& sheet, std::string_view symbol) {
  return std::ranges::any_of(sheet.findings, [symbol](const auto& finding) { return finding.symbol == symbol; });
}

void set_disposition(const gateway::Witness::Seen& mail, const mailauth::DmarcOutcome& dmarc, DmarcRecordRow& row) {
  if (dmarc.result == Result::pass) {
    // "pass": there was a policy that would have had consequences.
    const mailauth::DmarcRecord& record = *dmarc.record;
    const auto policy = dmarc.author_domain == dmarc.policy_domain ? record.policy : record.subdomains;
    row.disposition = policy.value_or(record.policy.value_or(DmarcPolicy::none)) == DmarcPolicy::none ? "none" : "pass";
    return;
  }
  // A refusal that DMARC did not ask for is another filter's, and none of the domain owner's business.
  const DmarcPolicy done = std::min(applied(mail), dmarc.policy);
  row.disposition = mailauth::text(done);
  if (dmarc.policy != dmarc.published) row.reasons.push_back({"policy_test_mode"});
  if (done == dmarc.policy) return;
  if (has_finding(mail.sheet, "arc_trusted")) {
    row.reasons.push_back({"trusted_forwarder", "ARC"});
  } else if (mail.message.headers().find("List-Id") != nullptr) {
    row.reasons.push_back({"mailing_list"});
  } else {
    row.reasons.push_back({"local_policy"});
  }
}

// In the order of RFC 9990, "DKIM Signatures in Aggregate Reports": passed and the author's own, aligned, passed, the
// rest.
std::vector<DmarcSignatureResult> signatures(const filter::Authentication& of) {
  const auto rank = [&of](const mailauth::DkimSignature& signature) {
    if (signature.result != Result::pass) return 3;
    if (signature.domain == of.dmarc.author_domain) return 0;
    const std::string& organization = of.dmarc.organizational_domain;
    const bool below =
        !organization.empty() && (signature.domain == organization || signature.domain.ends_with("." + organization));
    return below || signature.domain == of.dmarc.aligned_domain ? 1 : 2;
  };
  std::vector<DmarcSignatureResult> told;
  for (int wanted = 0; wanted <= 3; ++wanted) {
    for (const auto& signature : of.dkim.signatures) {
      if (rank(signature) != wanted || name(signature.domain).empty()) continue;
      if (told.size() == kMostSignaturesTold) return told;
      told.push_back({signature.domain, name(signature.selector), std::string(mailauth::text(signature.result))});
    }
  }
  return told;
}

// Reports about reports would go to and fro between two servers for ever, a pair a day. Only those that prove whose
// they are: a subject is no way to forge a domain without its owner hearing of it.
bool is_proven_report(const gateway::Witness::Seen& mail, const mailauth::DmarcOutcome& dmarc) {
  return dmarc.result == Result::pass && mail::starts_ignoring_case(mail.message.subject(), "Report Domain:");
}

}  // namespace

DmarcPolicy applied(const gateway::Witness::Seen& mail) {
  auto mildest = DmarcPolicy::reject;
  for (const auto& group : mail.sheet.groups) {
    if (group.reply_code / 100 == 4) continue;
    DmarcPolicy here = DmarcPolicy::none;
    switch (group.disposition) {
      case sheet::Disposition::refuse:
      case sheet::Disposition::discard:
        here = DmarcPolicy::reject;
        break;
      case sheet::Disposition::quarantine:
      case sheet::Disposition::tag:
      case sheet::Disposition::review:
        here = DmarcPolicy::quarantine;
        break;
      default:
        break;
    }
    mildest = std::min(mildest, here);
  }
  return mildest;
}

std::optional<DmarcObservation> observe(const gateway::Witness::Seen& mail) {
  if (!mail.facts.authentication) return std::nullopt;
  const filter::Authentication& of = *mail.facts.authentication;
  const mailauth::DmarcOutcome& dmarc = of.dmarc;
  if (!of.spf_asked || !dmarc.record || dmarc.record->aggregate.empty() || dmarc.policy_domain.empty()) return {};
  if (dmarc.result != Result::pass && dmarc.result != Result::fail) return std::nullopt;
  if (is_proven_report(mail, dmarc)) return std::nullopt;
  if (std::ranges::all_of(mail.sheet.groups, [](const auto& group) { return group.reply_code / 100 == 4; })) return {};

  DmarcObservation seen;
  seen.time = mail.now;
  seen.published = published(dmarc);
  seen.addresses = addresses(*dmarc.record);
  if (seen.addresses.empty()) return std::nullopt;
  DmarcRecordRow& row = seen.row;
  row.count = 1;
  row.source_ip = mail.client.ip.text();
  row.dkim = dmarc.dkim_aligned;
  row.spf = dmarc.spf_aligned;
  set_disposition(mail, dmarc, row);
  row.header_from = name(dmarc.author_domain);
  if (!mail.envelope.from.null) row.envelope_from = name(mail.envelope.from.mailbox.domain.key());
  row.signatures = signatures(of);
  row.spf_domain = name(of.spf.domain);
  if (!row.spf_domain.empty()) row.spf_result = mailauth::text(of.spf.result);
  if (row.header_from.empty() || mail.client.ip.is_unspecified()) return std::nullopt;
  return seen;
}

}  // namespace doorward::report
