#include "action/secret_suffix.h"

#include "mail/ascii.h"

namespace doorward::action {
namespace {

class SecretSuffix final : public Action {
 public:
  const ActionInfo& info() const override {
    static const ActionInfo info{
        .name = "secret_suffix",
        .sentence = "Mail to an address with a secret suffix passes without filters; scanners still run.",
        .phase = Phase::recipient,
        .options = {{.name = "secret_suffix",
                     .type = config::OptionType::text,
                     .unit = "",
                     .default_value = "",
                     .sentence = "The ending of the local part that is taken off, such as _geheim; empty: none."}}};
    return info;
  }

  void on_recipient(const Settings& settings, RecipientOutcome& outcome) const override {
    const std::string& suffix = settings.secret_suffix;
    std::string& local = outcome.mailbox.local;
    if (suffix.empty() || local.size() <= suffix.size()) return;
    const size_t stem = local.size() - suffix.size();
    if (!mail::equal_ignoring_case(std::string_view(local).substr(stem), suffix)) return;
    local.resize(stem);
    outcome.effects.push_back({.kind = Effect::Kind::pass_unfiltered, .detail = "the address had the secret suffix"});
  }
};

}  // namespace

const Action& secret_suffix() {
  static const SecretSuffix action;
  return action;
}

}  // namespace doorward::action
