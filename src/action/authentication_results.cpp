#include "action/authentication_results.h"

#include <string>
#include <vector>

namespace doorward::action {
namespace {

using mailauth::MethodResult;

MethodResult iprev_result(const mailauth::IprevOutcome& iprev, const mail::Client& client) {
  return {.method = "iprev",
          .result = std::string(text(iprev.result)),
          .comment = iprev.name,
          .properties = {{"policy", "iprev", client.ip.text()}}};
}

MethodResult spf_result(const mailauth::SpfOutcome& spf, const mail::Client& client, const mail::Envelope& envelope) {
  MethodResult result{.method = "spf", .result = std::string(text(spf.result)), .comment = spf.evidence};
  // RFC 8601 §2.7.2: which identity was checked.
  if (envelope.from.null) {
    result.properties.push_back({"smtp", "helo", client.helo});
  } else {
    result.properties.push_back({"smtp", "mailfrom", envelope.from.text()});
  }
  return result;
}

MethodResult dmarc_result(const mailauth::DmarcOutcome& dmarc) {
  MethodResult result{.method = "dmarc", .result = std::string(text(dmarc.result))};
  if (dmarc.record) result.comment = "p=" + std::string(text(dmarc.published));
  result.properties.push_back({"header", "from", dmarc.author_domain});
  return result;
}

class AuthenticationResults final : public Action {
 public:
  const ActionInfo& info() const override {
    static const ActionInfo info{
        .name = "authentication_results",
        .sentence = "Writes what SPF, DKIM, DMARC and ARC said into the header of inbound mail.",
        .phase = Phase::verdict,
        .options = {{.name = "authentication_results",
                     .type = config::OptionType::boolean,
                     .unit = "",
                     .default_value = "true",
                     .sentence = "Write Authentication-Results."}}};
    return info;
  }

  void on_verdict(const Verdicted& mail, MessageOutcome& outcome) const override {
    if (mail.sheet.direction != sheet::Direction::inbound || !mail.settings.authentication_results) return;
    if (mail.facts == nullptr || !mail.facts->authentication) return;
    const auto results = results_of(*mail.facts, mail.client, mail.envelope);
    outcome.edits.prepend(mailauth::authentication_results_field(mail.host_name, results));
  }
};

}  // namespace

std::vector<MethodResult> results_of(const filter::Facts& facts, const mail::Client& client,
                                     const mail::Envelope& envelope) {
  if (!facts.authentication) return {};
  const auto& of = *facts.authentication;
  std::vector<MethodResult> results = mailauth::method_results(of.dkim);
  if (of.spf_asked) {
    results.insert(results.begin(), spf_result(of.spf, client, envelope));
    results.insert(results.begin(), iprev_result(of.iprev, client));
    results.push_back(dmarc_result(of.dmarc));
  }
  if (of.arc.cv != mailauth::Result::none) results.push_back(mailauth::method_result(of.arc));
  return results;
}

const Action& authentication_results() {
  static const AuthenticationResults action;
  return action;
}

}  // namespace doorward::action
