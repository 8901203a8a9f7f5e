#include "filter/sender_authentication.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <span>
#include <string>
#include <utility>

#include "filter/evidence.h"
#include "mail/ascii.h"
#include "mailauth/authentication_results.h"

namespace doorward::filter {
namespace {

using mailauth::DmarcPolicy;
using mailauth::Result;

constexpr size_t kMostEvidence = 200;  // octets

class SenderAuthentication final : public Filter {
 public:
  const FilterInfo& info() const override {
    static const FilterInfo info{
        .name = "sender_authentication",
        .sentence = "Asks the sender's domain whether the mail is really its own: SPF, DKIM, DMARC and ARC.",
        .scope = Scope::mail,
        .cost = Cost::network,
        .lowest = -4.5,
        .highest = 6,
        .default_weight = 1,
        .default_cap = 6,
        .symbols = {
            {"spf_pass", "The sender's domain names the sending server as its own."},
            {"spf_fail", "The sender's domain says that the sending server may not send in its name."},
            {"spf_softfail", "The sender's domain says that the sending server probably may not send in its name."},
            {"spf_permerror", "The sender's domain has an SPF record that cannot be understood."},
            {"spf_temperror", "The sender's SPF record could not be had in time."},
            {"dkim_pass", "A signature of the mail is valid."},
            {"dkim_fail", "The mail was changed after it was signed, or its signature is forged."},
            {"dkim_unusable", "A signature of the mail cannot be checked, or proves too little."},
            {"dkim_temperror", "The key of a signature could not be had in time."},
            {"dmarc_pass", "The domain that the reader sees as the sender is proven."},
            {"dmarc_none", "The sender's domain is not proven, and asks for no consequences."},
            {"dmarc_quarantine", "The sender's domain is not proven, and asks to have such mail set aside."},
            {"dmarc_reject", "The sender's domain is not proven, and asks to have such mail refused."},
            {"dmarc_forwarded", "The sender's domain is not proven any more, as happens on the way over a list."},
            {"dmarc_permerror", "The sender's domain has a DMARC policy that cannot be understood."},
            {"dmarc_temperror", "The policy of the sender's domain could not be had in time."},
            {"several_authors", "The mail names authors of several domains."},
            {"arc_pass", "Those who passed the mail on vouch for what they saw."},
            {"arc_trusted", "Someone you trust passed the mail on, and had its sender proven when it came."},
            {"arc_fail", "The chain of those who passed the mail on is broken."},
            {"unproven", "Nothing proves where the mail comes from."}}};
    return info;
  }

  void judge(const Case& mail, sheet::Findings& findings) const override {
    if (!mail.facts.authentication || mail.direction != sheet::Direction::inbound) return;
    const Authentication& of = *mail.facts.authentication;
    if (of.spf_asked) judge_spf(of.spf, findings);
    judge_dkim(of.dkim, findings);
    judge_arc(of.arc, findings);
    if (!of.spf_asked) return;
    judge_dmarc(mail, of, findings);
    if (!mail.facts.proves_somebody()) {
      add(findings, "unproven", 0.3, "neither SPF nor a signature");
    }
  }

 private:
  static void add(sheet::Findings& findings, std::string_view symbol, double strength, std::string_view evidence) {
    findings.push_back({.filter = "sender_authentication",
                        .symbol = symbol,
                        .strength = strength,
                        .evidence = printable(evidence, kMostEvidence)});
  }

  static void judge_spf(const mailauth::SpfOutcome& spf, sheet::Findings& findings) {
    switch (spf.result) {
      case Result::pass:
        return add(findings, "spf_pass", 0, spf.evidence);
      case Result::fail:
        return add(findings, "spf_fail", 1.5, spf.evidence);
      case Result::softfail:
        return add(findings, "spf_softfail", 0.7, spf.evidence);
      case Result::permerror:
        return add(findings, "spf_permerror", 0.3, spf.evidence);
      case Result::temperror:
        return add(findings, "spf_temperror", 0, spf.evidence);
      default:
        return;  // none and neutral say nothing (RFC 7208 §8.2)
    }
  }

  // One finding each for the best and for what is wrong: lists and gateways on the way break signatures that were good.
  static void judge_dkim(const mailauth::DkimOutcome& dkim, sheet::Findings& findings) {
    const Result best = dkim.best();
    const auto one = std::ranges::find(dkim.signatures, best, &mailauth::DkimSignature::result);
    if (one == dkim.signatures.end()) return;
    const std::string evidence = fmt::format("d={}{}{}", one->domain, one->reason.empty() ? "" : ": ", one->reason);
    switch (best) {
      case Result::pass:
        return add(findings, "dkim_pass", 0, evidence);
      case Result::fail:
        return add(findings, "dkim_fail", 0.5, evidence);
      case Result::temperror:
        return add(findings, "dkim_temperror", 0, evidence);
      default:
        return add(findings, "dkim_unusable", 0.2, evidence);
    }
  }

  static void judge_arc(const mailauth::ArcOutcome& arc, sheet::Findings& findings) {
    if (arc.cv == Result::pass && !arc.sealers.empty()) {
      add(findings, "arc_pass", 0, fmt::format("sealed last by {}", arc.sealers.back().domain));
    } else if (arc.cv == Result::fail && !arc.temporary) {
      add(findings, "arc_fail", 0.2, arc.reason);
    }
  }

  // A published reject is a finding and no refusal (D8): lists and forwarders that are proven themselves are the usual
  // reason for it, and speak for the mail.
  static void judge_dmarc(const Case& mail, const Authentication& of, sheet::Findings& findings) {
    const auto& dmarc = of.dmarc;
    if (dmarc.several_authors) add(findings, "several_authors", 1, dmarc.evidence);
    switch (dmarc.result) {
      case Result::pass:
        return add(findings, "dmarc_pass", -0.5, dmarc.evidence);
      case Result::permerror:
        return add(findings, "dmarc_permerror", 0.2, dmarc.evidence);
      case Result::temperror:
        return add(findings, "dmarc_temperror", 0, dmarc.evidence);
      case Result::fail:
        break;
      default:
        return;
    }
    if (dmarc.policy == DmarcPolicy::none) return add(findings, "dmarc_none", 0.5, dmarc.evidence);
    const bool reject = dmarc.policy == DmarcPolicy::reject;
    const bool forwarded = is_forwarded(mail);
    const double strength = forwarded ? 2 : reject ? 4.5 : 2.5;
    add(findings,
        forwarded ? "dmarc_forwarded"
        : reject  ? "dmarc_reject"
                  : "dmarc_quarantine",
        strength, dmarc.evidence);
    // For those who trust the way it came, as much speaks for the mail again.
    for (const auto& [customer, domains] : mail.input.trusted_sealers) {
      const std::string* sealer = trusted_witness(of, domains);
      if (sealer == nullptr) continue;
      add(findings, "arc_trusted", -strength, "sealed by " + *sealer);
      findings.back().owner = customer;
    }
  }

  // Whoever saw the author proven, when all who had the mail after him are trusted as well (RFC 8617 §7.2).
  static const std::string* trusted_witness(const Authentication& of, std::span<const std::string> trusted) {
    if (of.arc.cv != Result::pass) return nullptr;
    for (const auto& sealer : std::views::reverse(of.arc.sealers)) {
      const auto is_this = [&](const auto& domain) { return mail::equal_ignoring_case(domain, sealer.domain); };
      if (std::ranges::none_of(trusted, is_this)) return nullptr;
      if (saw_proven(sealer.results, of.dmarc.author_domain)) return &sealer.domain;
    }
    return nullptr;
  }
  static bool saw_proven(std::string_view results, std::string_view author_domain) {
    const auto read = mailauth::read_authentication_results(results);
    if (!read) return false;
    return std::ranges::any_of(read->results, [&](const auto& one) {
      if (one.method != "dmarc" || one.result != "pass") return false;
      return std::ranges::any_of(one.properties, [&](const auto& property) {
        return property.type == "header" && property.name == "from" &&
               mail::equal_ignoring_case(property.value, author_domain);
      });
    });
  }

  // A list that proves itself: its fields, and a signature or SPF of its own domain.
  static bool is_forwarded(const Case& mail) {
    if (!mail.facts.proves_somebody()) return false;
    const auto& headers = mail.message.headers();
    return headers.count("List-Id") != 0 || headers.count("List-Post") != 0;
  }
};

}  // namespace

const Filter& sender_authentication() {
  static const SenderAuthentication filter;
  return filter;
}

}  // namespace doorward::filter
