#include "action/training.h"

#include <fmt/format.h>

#include <algorithm>

namespace doorward::action {
namespace {

// The word statistics' strength from which on they are sure already: another mail like it would teach nothing
// (log-odds of 5.8, where learning stops by itself), and at full load most mails are such.
constexpr double kSure = 0.994;

bool is_known(const sheet::ScoreSheet& sheet, bool spam) {
  return std::any_of(sheet.findings.begin(), sheet.findings.end(), [&](const sheet::Finding& finding) {
    return finding.filter == "word_statistics" && finding.owner == 0 &&
           (spam ? finding.strength : -finding.strength) >= kSure;
  });
}

class Training final : public Action {
 public:
  const ActionInfo& info() const override {
    static const ActionInfo info{
        .name = "training",
        .sentence = "Lets the word statistics learn: outbound mail is good; inbound mail is good or bad by its SCL.",
        .phase = Phase::outcome,
        .options = {{.name = "train",
                     .type = config::OptionType::boolean,
                     .unit = "",
                     .default_value = "true",
                     .sentence = "Learn from the mail that is judged."},
                    {.name = "train_ham_at_most",
                     .type = config::OptionType::integer,
                     .unit = "SCL",
                     .default_value = "-4",
                     .sentence = "Inbound mail with this SCL or a lower one is learnt as good.",
                     .lowest = -9,
                     .highest = -1},
                    {.name = "train_spam_from",
                     .type = config::OptionType::integer,
                     .unit = "SCL",
                     .default_value = "7",
                     .sentence = "Inbound mail with this SCL or a higher one is learnt as bad.",
                     .lowest = 1,
                     .highest = 9}}};
    return info;
  }

  void on_outcome(const Verdicted& mail, MessageOutcome& outcome) const override {
    if (!mail.settings.train) return;
    const auto& verdict = mail.verdict;
    // What is deferred comes again; malware says nothing about words.
    if (verdict.disposition == sheet::Disposition::defer || verdict.klass == sheet::Class::virus) return;
    if (mail.sheet.direction == sheet::Direction::outbound) {
      if (verdict.klass == sheet::Class::clean && verdict.disposition == sheet::Disposition::deliver) {
        outcome.effects.push_back({.kind = Effect::Kind::train_ham, .detail = "outbound, judged clean"});
      }
      return;
    }
    const int64_t scl = verdict.priced.scl.level();
    if (scl <= mail.settings.train_ham_at_most && !is_known(mail.sheet, false)) {
      outcome.effects.push_back({.kind = Effect::Kind::train_ham, .detail = fmt::format("SCL {}", scl)});
    } else if (scl >= mail.settings.train_spam_from && !is_known(mail.sheet, true)) {
      outcome.effects.push_back({.kind = Effect::Kind::train_spam, .detail = fmt::format("SCL {}", scl)});
    }
  }
};

}  // namespace

const Action& training() {
  static const Training action;
  return action;
}

}  // namespace doorward::action
